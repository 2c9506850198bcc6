package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func TestThreeReplicasElectAndApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		var last uint64
		for n := range uint64(20) {
			a := s.mustPropose(l, n)
			if a.Index <= last {
				t.Fatalf("index %d after %d", a.Index, last)
			}
			last = a.Index
		}
		s.same()
		for i, r := range s.replicas {
			if got := sessions(r.Group); got != 20 {
				t.Errorf("replica %d has %d sessions", i+1, got)
			}
			info, self := r.Leader()
			if self != (r == l) || info.Leader != l.opts.Node || info.Term == 0 || info.Group != 7 {
				t.Errorf("replica %d: %+v %v", i+1, info, self)
			}
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Errorf("verify: %v", err)
		}
		if err := s.others(l)[0].Verify(t.Context()); !errors.Is(err, transport.CodeNotLeader) {
			t.Errorf("a follower verified: %v", err)
		}
		if _, err := propose(s.others(l)[0].Group, 99); !errors.Is(err, transport.CodeNotLeader) {
			t.Errorf("a follower took an entry: %v", err)
		}
	})
}

func TestLeaderLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		old := s.leader()
		s.mustPropose(old, 1)
		s.isolate(s.index(old))
		began := time.Now()
		// In flight while the majority is gone: its outcome is not known.
		if _, err := propose(old.Group, 2); !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Fatalf("the old leader's entry: %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("a minority refused after %v", took)
		}
		if _, self := old.Leader(); self {
			t.Error("the old leader still says it leads")
		}
		if _, err := propose(old.Group, 3); !errors.Is(err, transport.CodeNotLeader) {
			t.Errorf("a minority took an entry: %v", err)
		}
		if err := old.Verify(t.Context()); err == nil {
			t.Error("a minority verified a read")
		}
		var next *replicaOf
		eventually(t, "another leader", func() bool {
			for _, r := range s.others(old) {
				if _, self := r.Leader(); self {
					next = r
				}
			}
			return next != nil
		})
		s.mustPropose(next, 4)
		s.connect()
		s.same()
		if got := sessions(old.Group); got != 2 { // 1 and 4, and not 2
			t.Errorf("%d sessions", got)
		}
	})
}

// Each change is told once, in order, self=false before the next leadership.
func TestLeadershipIsAnnouncedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		s.bootstrap()
		for range 4 {
			l := s.leader()
			if err := l.handOver(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the old leader steps back", func() bool { _, self := l.Leader(); return !self })
		}
		s.leader()
		s.close()
		for i, r := range s.replicas {
			self := false
			for _, n := range r.news {
				if n.self && self {
					t.Errorf("replica %d: two leaderships without an end between: %+v", i+1, r.news)
				}
				self = n.self
			}
			if self {
				t.Errorf("replica %d leads after it was closed", i+1)
			}
		}
	})
}

func TestClocksOfALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		var at fsm.Clock
		look := func() { l.View(func(s *fsm.State) { at = s.Clock() }) }
		look()
		began := at.LeaseMillis
		time.Sleep(3 * time.Second)
		s.mustPropose(l, 2)
		look()
		if d := at.LeaseMillis - began; d < 2990 || d > 3110 {
			t.Errorf("3 s were %d ms of the lease clock", d)
		}
		if d := time.Now().UnixMilli() - at.WallMillis; d < 0 || d > 1000 {
			t.Errorf("the wall clock is off by %d ms", d)
		}
		// A leaderless minute does not age a lease.
		before := at.LeaseMillis
		for i := range s.replicas {
			s.isolate(i)
		}
		eventually(t, "no leader", func() bool { _, self := l.Leader(); return !self })
		time.Sleep(time.Minute)
		s.connect()
		next := s.leader()
		s.mustPropose(next, 3)
		next.View(func(s *fsm.State) { at = s.Clock() })
		if d := at.LeaseMillis - before; d < 0 || d > 3000 {
			t.Errorf("a leaderless minute aged leases by %d ms", d)
		}
		// Nor does what passed since the last entry of a leader that is lost.
		before = at.LeaseMillis
		time.Sleep(8 * time.Second)
		for i, r := range s.replicas {
			if r == next {
				s.isolate(i)
			}
		}
		eventually(t, "another leader", func() bool {
			return slices.ContainsFunc(s.others(next), func(r *replicaOf) bool { _, self := r.Leader(); return self })
		})
		for _, r := range s.others(next) {
			if _, self := r.Leader(); self {
				s.mustPropose(r, 4)
				r.View(func(s *fsm.State) { at = s.Clock() })
			}
		}
		if d := at.LeaseMillis - before; d < 0 || d > 1000 {
			t.Errorf("the idle time of a lost leader aged leases by %d ms", d)
		}
		if d := time.Now().UnixMilli() - at.WallMillis; d < 0 || d > 1000 {
			t.Errorf("the wall clock is off by %d ms", d)
		}
	})
}

func TestBadClockHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		// The two others are a minute behind this leader's clock.
		for _, r := range s.others(l) {
			l.ObserveClock(r.opts.Node, time.Now().Add(-time.Minute).UnixMilli())
		}
		eventually(t, "leadership moves", func() bool { _, self := l.Leader(); return !self })
		eventually(t, "another leader", func() bool {
			for _, r := range s.others(l) {
				if _, self := r.Leader(); self {
					return true
				}
			}
			return false
		})
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.alarms) == 0 || !l.alarms[0] {
			t.Error("no alarm")
		}
	})
}

func TestRestartReplaysAndCountsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		for n := range uint64(10) {
			s.mustPropose(l, n)
		}
		s.same()
		i := s.index(s.others(l)[0])
		r := s.replicas[i]
		grown := r.fsm.growth.mark()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		_, r.trans = raft.NewInmemTransport(simAddr(i))
		s.open(i)
		s.connect()
		s.same()
		if got := sessions(r.Group); got != 10 {
			t.Errorf("%d sessions", got)
		}
		if again := r.fsm.growth.mark(); again.bytes < grown.bytes {
			t.Errorf("a restart reset the count of bytes: %d, %d before", again.bytes, grown.bytes)
		}
	})
}

func TestSnapshotByBytesAndInstall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, func(_ int, o *GroupOptions) { o.SnapshotBytes, o.TrailingBytes = 4096, 1024 })
		defer s.close()
		s.bootstrap()
		l := s.leader()
		slow := s.others(l)[0]
		s.same()
		s.isolate(s.index(slow))
		for n := range uint64(3 * trailingEntriesFrom) {
			if n%64 == 0 {
				synctest.Wait()
			}
			s.mustPropose(l, n)
		}
		eventually(t, "a snapshot", func() bool { m, err := l.snaps.List(); return err == nil && len(m) > 0 })
		eventually(t, "the log is cut", func() bool { first, err := l.log.FirstIndex(); return err == nil && first > 100 })
		s.connect()
		s.same()
		if got := sessions(slow.Group); got != 3*trailingEntriesFrom {
			t.Errorf("%d sessions", got)
		}
		if slow.rebuilds() != 0 {
			t.Error("one install is no reason to rebuild")
		}
	})
}

// Many readers that wait for the quorum at once are all answered.
func TestVerifySharesRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				if err := l.Verify(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestOptionsNameEveryMistake(t *testing.T) {
	err := GroupOptions{ElectionTimeout: time.Millisecond, LeaderLease: time.Hour, SnapshotBytes: -1}.Validate()
	for _, want := range []string{"Node is empty", "ServerID is empty", "Stores.Log", "Transport", "ElectionTimeout", "LeaderLease", "SnapshotBytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
}

// A void entry moves the log and nothing else.
