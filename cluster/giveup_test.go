package cluster

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// getsStuck makes a replica look like one that gets the same snapshot for ever.
func getsStuck(t *testing.T, l, h *host) {
	t.Helper()
	g := h.Group(0)
	eventually(t, "all is applied", func() bool { return g.fsm.applied.at() == l.Group(0).raft.LastIndex() })
	g.fsm.cannot.Store(true)
	g.stuck(fmt.Errorf("%w: test", ErrRebuild))
}

func TestStuckReplicaIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		h := s.others(l)[0]
		getsStuck(t, l, h)
		eventually(t, "it gives up", func() bool { return h.Err() != nil })
		if !errors.Is(h.Err(), ErrRebuild) {
			t.Error(h.Err())
		}
	})
}

// Both followers cannot follow. If both were wiped, the leader would be one of
// three for ever, and nobody could join it.
func TestStuckReplicasKeepTheMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		both := s.others(l)
		for _, h := range both {
			eventually(t, "all is applied", func() bool { return h.Group(0).fsm.applied.at() == l.Group(0).raft.LastIndex() })
		}
		for _, h := range both {
			getsStuck(t, l, h)
		}
		time.Sleep(time.Minute)
		for _, h := range both {
			if h.Err() != nil {
				t.Fatalf("%s gives up: %v", h.name, h.Err())
			}
		}
		// An entry shows that they follow again: nobody is rebuilt any more.
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Fatal(err)
		}
		eventually(t, "they follow", func() bool { return !both[0].Group(0).fsm.cannot.Load() && !both[1].Group(0).fsm.cannot.Load() })
		getsStuck(t, l, both[0])
		eventually(t, "it gives up", func() bool { return both[0].Err() != nil })
		if both[1].Err() != nil {
			t.Error(both[1].Err())
		}
	})
}
