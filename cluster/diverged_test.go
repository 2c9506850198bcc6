package cluster

import (
	"errors"
	"testing"
	"testing/synctest"
)

// raft#697: the log of a deposed leader is longer than the snapshot that a new
// leader sends it, and differs. hashicorp/raft keeps the tail, refuses what
// comes after the snapshot, and gets the same snapshot again, for ever. The
// replica has to notice.
func TestInstallSnapshotOverDivergentLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, func(_ int, o *GroupOptions) { o.SnapshotBytes, o.TrailingBytes = 1<<40, 1 })
		defer s.close()
		s.bootstrap()
		old := s.leader()
		s.mustPropose(old, 1)
		s.same()
		s.isolate(s.index(old))
		const tail = 3 * trailingEntriesFrom
		var waits []func()
		for n := range uint64(tail) {
			wait := old.Propose(opening(1_000_000+n), 1)
			waits = append(waits, func() { _, _ = wait() })
		}
		for _, wait := range waits {
			wait()
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
		for n := range uint64(trailingEntriesFrom + 1000) {
			s.mustPropose(next, 2+n)
		}
		for _, r := range s.others(old) {
			r.sizeTrailing(trailingEntriesFrom)
			if err := r.Snapshot(); err != nil {
				t.Fatal(err)
			}
		}
		last, err := old.log.LastIndex()
		if err != nil {
			t.Fatal(err)
		}
		metas, err := next.snaps.List()
		if err != nil || len(metas) == 0 || metas[0].Index >= last {
			t.Fatalf("the divergent log ends at %d, the snapshot at %v, %v", last, metas, err)
		}
		s.connect()
		eventually(t, "the snapshot arrives", func() bool { return old.fsm.applied.at() > 1000 })
		s.mustPropose(next, 999_999) // which the snapshot does not have
		eventually(t, "the replica notices, or follows", func() bool {
			d, _ := next.fsm.digests.last()
			o, _ := old.fsm.digests.last()
			return old.rebuilds() > 0 || d == o && o.Index != 0
		})
		if old.rebuilds() == 0 {
			t.Fatal("hashicorp/raft has got over it: revisit the decision record")
		}
		if !errors.Is(old.wiping[0], ErrRebuild) {
			t.Error(old.wiping[0])
		}
	})
}
