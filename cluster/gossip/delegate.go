package gossip

import (
	"bytes"
	"log/slog"
	"sync/atomic"

	"github.com/hashicorp/memberlist"
)

// delegate is what memberlist calls. It does so with its own lock held: no
// method may wait, or call memberlist.
type delegate struct {
	table  *table
	logger *slog.Logger
	meta   atomic.Pointer[[]byte]
}

// NodeMeta implements memberlist.Delegate.
func (d *delegate) NodeMeta(int) []byte { return *d.meta.Load() }

// NotifyMsg implements memberlist.Delegate; nodes send no messages this way.
func (d *delegate) NotifyMsg([]byte) {}

// GetBroadcasts implements memberlist.Delegate.
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate.
func (d *delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate.
func (d *delegate) MergeRemoteState([]byte, bool) {}

// NotifyJoin implements memberlist.EventDelegate.
func (d *delegate) NotifyJoin(n *memberlist.Node) { d.table.see(member(n, true)) }

// NotifyLeave implements memberlist.EventDelegate.
func (d *delegate) NotifyLeave(n *memberlist.Node) { d.table.see(member(n, false)) }

// NotifyUpdate implements memberlist.EventDelegate.
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.table.see(member(n, true)) }

// NotifyConflict implements memberlist.ConflictDelegate.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	if d.table.clash(existing.Name, other.Address()) {
		d.logger.Error("two nodes use the same id, give one of them another",
			"id", existing.Name, "known_at", existing.Address(), "also_at", other.Address())
	}
}

func member(n *memberlist.Node, alive bool) Member {
	return Member{ID: n.Name, Addr: n.Address(), Meta: bytes.Clone(n.Meta), Alive: alive}
}
