package cluster

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// getsStuck makes replicas look like some that get the same snapshot for ever,
// as long as again is called.
func getsStuck(t *testing.T, l *host, hosts ...*host) (again func()) {
	t.Helper()
	eventually(t, "all is applied", func() bool {
		for _, h := range hosts {
			if h.Group(0).fsm.applied.at() != l.Group(0).raft.LastIndex() {
				return false
			}
		}
		return true
	})
	for _, h := range hosts { // before any of them can ask
		h.Group(0).fsm.cannot.Store(true)
	}
	again = func() {
		for _, h := range hosts {
			h.Group(0).stuck(fmt.Errorf("%w: test", ErrRebuild))
		}
	}
	again()
	return again
}

// givesUp waits until a replica that stays stuck does.
func givesUp(t *testing.T, h *host, again func()) {
	t.Helper()
	eventually(t, "it gives up", func() bool { again(); return h.Err() != nil })
	if !errors.Is(h.Err(), ErrRebuild) {
		t.Error(h.Err())
	}
}

func TestStuckReplicaIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		h := s.others(l)[0]
		givesUp(t, h, getsStuck(t, l, h))
	})
}

// bothStuck returns when both followers got stuck, and the leader refused for
// a minute to have either rebuilt; nothing that they ask is under way.
func bothStuck(t *testing.T, s *nodeSim, l *host) (both []*host) {
	t.Helper()
	both = s.others(l)
	again := getsStuck(t, l, both...)
	for range 60 {
		time.Sleep(time.Second)
		for _, h := range both {
			if h.Err() != nil {
				t.Fatalf("%s gives up: %v", h.name, h.Err())
			}
		}
		again()
	}
	time.Sleep(2*defaultMembershipEvery + requestTimeout)
	return both
}

// Both followers cannot follow. If both were wiped, the leader would be one of
// three for ever, and nobody could join it.
func TestStuckReplicasKeepTheMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		both := bothStuck(t, s, l)
		// An entry shows that they follow again: nobody is rebuilt any more.
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Fatal(err)
		}
		eventually(t, "they follow", func() bool { return !both[0].Group(0).fsm.cannot.Load() && !both[1].Group(0).fsm.cannot.Load() })
		givesUp(t, both[0], getsStuck(t, l, both[0]))
		if both[1].Err() != nil {
			t.Error(both[1].Err())
		}
	})
}

// What kept both from following ends, and one sees an entry a moment before
// the other: by now the leader could do without the other, but that one gets
// the same snapshot no more, and must not be wiped for what was.
func TestFirstToFollowLeavesTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		both := bothStuck(t, s, l)
		both[0].Group(0).fsm.cannot.Store(false)
		time.Sleep(time.Minute)
		if both[1].Err() != nil {
			t.Fatalf("%s gives up: %v", both[1].name, both[1].Err())
		}
		givesUp(t, both[1], getsStuck(t, l, both[1])) // it does get it once more
		if both[0].Err() != nil {
			t.Error(both[0].Err())
		}
	})
}
