package cluster

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func TestSameSnapshotAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 1, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		if err := l.Snapshot(); err != nil {
			t.Fatal(err)
		}
		metas, err := l.snaps.List()
		if err != nil || len(metas) == 0 {
			t.Fatal(metas, err)
		}
		for n := 1; n <= installsMax+1; n++ {
			_, r, err := l.snaps.Open(metas[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.fsm.Restore(r); err != nil {
				t.Fatal(err)
			}
			if want := n > installsMax; (l.rebuilds() > 0) != want {
				t.Fatalf("after %d installs: %d", n, l.rebuilds())
			}
		}
		if !errors.Is(l.wiping[0], ErrRebuild) {
			t.Error(l.wiping[0])
		}
	})
}

func TestUndecodableEntryStopsTheReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 1, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		if _, err := l.Propose([]byte{0xff}, 1)(); !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Fatal(err)
		}
		if l.fatals() != 1 || !errors.Is(l.fatal[0], ErrCorruptState) {
			t.Fatal(l.fatal)
		}
		if _, err := propose(l.Group, 1); err == nil {
			t.Error("an entry was applied after it")
		}
		if err := l.Snapshot(); err == nil {
			t.Error("a broken state was written to disk")
		}
	})
}

type failingLog struct {
	raft.LogStore
	mu   sync.Mutex
	fail error
}

func (f *failingLog) StoreLogs(l []*raft.Log) error {
	f.mu.Lock()
	err := f.fail
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.LogStore.StoreLogs(l)
}

func (f *failingLog) StoreLog(l *raft.Log) error { return f.StoreLogs([]*raft.Log{l}) }

func TestFailingLogStepsDownAndIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs := make([]*failingLog, 3)
		s := newSim(t, 3, func(i int, o *GroupOptions) {
			logs[i] = &failingLog{LogStore: o.Stores.Log}
			o.Stores.Log = logs[i]
		})
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		log := logs[s.index(l)]
		log.mu.Lock()
		log.fail = errors.New("the disk hangs")
		log.mu.Unlock()
		_, err := propose(l.Group, 2)
		if !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Fatalf("an error of the log store: %v", err)
		}
		if _, self := l.Leader(); self {
			t.Error("it still leads")
		}
		var next *replicaOf
		eventually(t, "another leader", func() bool {
			for _, r := range s.others(l) {
				if _, self := r.Leader(); self {
					next = r
				}
			}
			return next != nil
		})
		s.mustPropose(next, 3)
	})
}

func TestEntryOfAnotherTermIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		s.mustPropose(l, 1)
		stale := &leadership{term: l.raft.CurrentTerm() - 1}
		stale.calls.tryBegin()
		_, err := l.append(stale, fsm.Clock{}, opening(2), 1)()
		if !errors.Is(err, transport.CodeNotLeader) {
			t.Fatalf("a stale entry: %v", err)
		}
		s.mustPropose(l, 3)
		s.same()
		for i, r := range s.replicas {
			if got := sessions(r.Group); got != 2 {
				t.Errorf("replica %d has %d sessions", i+1, got)
			}
		}
	})
}

func TestFailureEndsTheLeadership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 1, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		term := l.raft.CurrentTerm()
		first := l.lead.Load()
		pending := l.Propose(opening(1), 1)
		first.fail(l.Group)
		if _, err := propose(l.Group, 2); !errors.Is(err, transport.CodeNotLeader) {
			t.Fatalf("taken after a failure: %v", err)
		}
		if _, self := l.Leader(); self {
			t.Error("still says it leads")
		}
		if _, err := pending(); err != nil {
			t.Fatalf("proposed before the failure: %v", err)
		}
		s.leader()
		if l.raft.CurrentTerm() != term || l.lead.Load() == first {
			t.Errorf("term %d, was %d", l.raft.CurrentTerm(), term)
		}
		s.mustPropose(l, 3)
	})
}

func TestCloseAnswersEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		s.bootstrap()
		l := s.leader()
		answers := make(chan error, 50)
		for n := range uint64(50) {
			wait := l.Propose(opening(n), 1)
			go func() { _, err := wait(); answers <- err }()
		}
		s.close()
		for range 50 {
			if err := <-answers; err != nil && !errors.Is(err, transport.CodeUnknownOutcome) && !errors.Is(err, transport.CodeNotLeader) {
				t.Error(err)
			}
		}
		if _, err := propose(l.Group, 99); !errors.Is(err, transport.CodeShuttingDown) {
			t.Errorf("after close: %v", err)
		}
	})
}

func TestUnstick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		last := s.mustPropose(l, 1).Index
		if got := l.unstick(7); got != 0 || l.raft.LastIndex() != last {
			t.Fatalf("a log that is committed: %d, ends at %d", got, l.raft.LastIndex())
		}
		if err := l.appendVoid(); err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(t.Context()); err != nil { // which waits for what was applied
			t.Fatal(err)
		}
		if l.raft.CommitIndex() != last+1 {
			t.Errorf("committed up to %d", l.raft.CommitIndex())
		}
		s.mustPropose(l, 2)
		s.same()
		for i, r := range s.replicas {
			if got := sessions(r.Group); got != 2 {
				t.Errorf("replica %d has %d sessions", i+1, got)
			}
		}
		for i := range s.replicas { // nothing gets committed any more
			s.isolate(i)
		}
		wait := l.Propose(opening(3), 1)
		synctest.Wait()
		if got := l.unstick(0); got != last+3 {
			t.Errorf("noticed %d", got)
		}
		if _, err := wait(); err == nil {
			t.Error("committed alone")
		}
	})
}
