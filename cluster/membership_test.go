package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

func TestNewNodeJoinsAndIsPromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		for n := range uint64(50) {
			if _, err := propose(l.Group(0), n); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		d := s.add("d")
		eventually(t, "a voter", func() bool { return slices.Contains(voters(l.Node), "d") })
		if took := time.Since(began); took < pilotStableFor {
			t.Errorf("promoted after %v, before it was stable", took)
		}
		eventually(t, "caught up", func() bool { return d.Ready() && sessions(d.Group(0)) == 50 })
		if d.ClusterID() != l.ClusterID() {
			t.Error("another cluster id")
		}
	})
}

func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		victim := s.others(l)[0]
		asked := s.others(l)[1] // any node takes it to the leader
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := asked.Control(ctx, transport.Control{Kind: ControlRemove, Node: victim.name}); err != nil {
			t.Fatal(err)
		}
		<-victim.Done()
		if !errors.Is(victim.Err(), ErrRemoved) {
			t.Fatal(victim.Err())
		}
		s.stop(victim)
		if err := s.tryStart(victim); !errors.Is(err, ErrRemoved) {
			t.Fatalf("a removed node starts again: %v", err)
		}
		<-victim.served
		victim.Node = nil
		if got := voters(l.Node); len(got) != 2 || slices.Contains(got, victim.name) {
			t.Errorf("voters %v", got)
		}
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Error(err)
		}
		// With two left, removing the other would leave one of one: allowed.
		// Removing it while it is dead, too. But the last voter stays.
		if _, err := l.Control(ctx, transport.Control{Kind: ControlRemove, Node: asked.name}); err != nil {
			t.Error(err)
		}
		if _, err := l.Control(ctx, transport.Control{Kind: ControlRemove, Node: l.name}); !errors.Is(err, transport.CodeConflict) {
			t.Errorf("the last voter was removed: %v", err)
		}
	})
}

func TestRemoveTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := l.Control(ctx, transport.Control{Kind: ControlRemove, Node: l.name}); err != nil {
			t.Fatal(err)
		}
		<-l.Done()
		if !errors.Is(l.Err(), ErrRemoved) {
			t.Fatal(l.Err())
		}
		s.stop(l)
		if next := s.leader(); len(voters(next.Node)) != 2 {
			t.Error(voters(next.Node))
		}
	})
}

func TestRemoveKeepsAQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		dead, living := s.others(l)[0], s.others(l)[1]
		s.stop(dead)
		eventually(t, "the link is down", func() bool { return !l.Peers().Up(dead.name) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := l.Control(ctx, transport.Control{Kind: ControlRemove, Node: living.name}); !errors.Is(err, transport.CodeConflict) {
			t.Errorf("a quorum was given away: %v", err)
		}
		// Time alone never removes a voter, whatever gossip believes.
		time.Sleep(10 * time.Minute)
		if got := voters(l.Node); len(got) != 3 {
			t.Errorf("voters %v", got)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := l.Control(ctx, transport.Control{Kind: ControlRemove, Node: "nobody"}); !errors.Is(err, transport.CodeNotFound) {
			t.Error(err)
		}
	})
}

func TestTransferLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		to, asked := s.others(l)[0], s.others(l)[1]
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := asked.Control(ctx, transport.Control{Kind: ControlTransferLeader, Node: to.name}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the named node leads", func() bool { _, self := to.Group(0).Leader(); return self })
		if _, err := asked.Control(ctx, transport.Control{Kind: ControlTransferLeader}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another node leads", func() bool { _, self := to.Group(0).Leader(); return !self })
		s.leader()
		if _, err := asked.Control(ctx, transport.Control{Kind: ControlTransferLeader, Node: "nobody"}); !errors.Is(err, transport.CodeNotFound) {
			t.Error(err)
		}
	})
}

func TestRebuildUnderANewServerID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Fatal(err)
		}
		h := s.others(l)[0]
		old := h.ServerID()
		h.Group(0).rebuild(fmt.Errorf("%w: test", ErrRebuild))
		<-h.Done()
		if !errors.Is(h.Err(), ErrRebuild) {
			t.Fatal(h.Err())
		}
		s.stop(h)
		s.start(h)
		if h.wiped != 1 || h.ServerID() == old {
			t.Fatalf("wiped %d times, server %s, was %s", h.wiped, h.ServerID(), old)
		}
		eventually(t, "caught up beside its old self", func() bool { return h.Ready() && sessions(h.Group(0)) == 1 })
		time.Sleep(10 * pilotStableFor)
		if got := l.Group(0).servers(); len(got) != 4 || len(voters(l.Node)) != 3 {
			t.Errorf("servers %v: it votes beside its old self", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := h.Control(ctx, transport.Control{Kind: ControlRemove, Node: h.name}); err != nil {
			t.Fatal(err)
		}
		for _, x := range l.Group(0).servers() {
			if string(x.ID) == old {
				t.Error("the living server was removed instead of the dead one")
			}
		}
		eventually(t, "promoted in its old self's place", func() bool {
			return slices.ContainsFunc(l.Group(0).servers(), func(x raft.Server) bool {
				return string(x.ID) == h.ServerID() && x.Suffrage == raft.Voter
			})
		})
		if h.Err() != nil {
			t.Error(h.Err())
		}
	})
}

// A node that has to be rebuilt again and again takes nobody's majority away,
// although nobody removes its dead selves.
func TestRebuildAgainKeepsTheMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		h := s.others(l)[0]
		for n := range uint64(4) {
			h.Group(0).rebuild(fmt.Errorf("%w: test", ErrRebuild))
			<-h.Done()
			s.stop(h)
			if _, err := propose(s.leader().Group(0), 2*n); err != nil {
				t.Fatalf("rebuild %d, without the node: %v", n, err)
			}
			s.start(h)
			eventually(t, "it caught up", func() bool { return h.Ready() && sessions(h.Group(0)) == int(2*n+1) })
			time.Sleep(10 * pilotStableFor)
			if _, err := propose(s.leader().Group(0), 2*n+1); err != nil {
				t.Fatalf("rebuild %d: %v", n, err)
			}
		}
	})
}

func TestNoTwoClusters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			s.add(name)
		}
		l := s.leader()
		eventually(t, "all five vote", func() bool { return len(voters(l.Node)) == 5 })
		for _, h := range s.hosts {
			if h.ClusterID() != l.ClusterID() {
				t.Errorf("%s belongs to another cluster", h.name)
			}
		}
	})
}

func TestForgottenStoreIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgot := false
		s := newNodeSim(t, func(name string, o *NodeOptions) {
			open := o.OpenStores
			o.OpenStores = func(group uint32, fatal func(error)) (GroupStores, error) {
				if name == "b" && forgot {
					return GroupStores{}, fmt.Errorf("%w: the store has forgotten a promise", ErrRebuild)
				}
				return open(group, fatal)
			}
		})
		defer s.close()
		s.formed("a", "b", "c")
		b := s.hosts["b"]
		old := b.ServerID()
		s.stop(b)
		forgot = true
		if err := s.tryStart(b); !errors.Is(err, ErrRebuild) {
			t.Fatal(err)
		}
		<-b.served
		b.Node, forgot = nil, false
		s.start(b)
		if b.ServerID() == old || b.wiped != 1 {
			t.Errorf("server %s, wiped %d times", b.ServerID(), b.wiped)
		}
		eventually(t, "it is back", b.Ready)
	})
}
