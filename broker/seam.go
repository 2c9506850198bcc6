package broker

import (
	"context"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// Group is what the broker needs from a Raft group.
type Group interface {
	ID() uint32

	// Leader tells who leads as far as this node knows. Self is true only
	// while this node leads and its first entry of the term is applied.
	Leader() (info transport.GroupInfo, self bool)

	// Propose replicates count encoded commands as one entry, stamped with the
	// leader's clocks; count 0 only moves the clocks. The commands are copied:
	// their memory is the caller's again on return. The function returned
	// blocks until the entry is applied here or its outcome is decided
	// otherwise, and must be called. Its error is a *transport.Error:
	// CodeUnknownOutcome says that the entry may or may not be applied, every
	// other code that it is not. Entries are appended in the order of the
	// calls; call it from one goroutine.
	Propose(commands []byte, count int) func() (fsm.Applied, error)

	// View runs f on this node's state, between two entries. f must be short
	// and must not keep references.
	View(f func(*fsm.State))

	// Verify returns once this node is known to lead still and has applied
	// everything committed before the call: a View after it is linearizable.
	Verify(ctx context.Context) error

	// Lag is how many entries of the log are not in this node's state yet.
	Lag() uint64

	// Now tells the clocks that the next entry would be stamped with.
	Now() fsm.Clock
}

// Peers is what the broker needs from the links to the other nodes.
type Peers interface {
	// Send queues a frame, in order, and blocks while the link's outbox is
	// full. An error means that the link is down; frames queued before may be lost.
	Send(ctx context.Context, node string, f transport.Frame) error

	// Request asks a node and waits for its answer; the error is a *transport.Error.
	Request(ctx context.Context, node, kind string, body []byte) ([]byte, error)

	// Nodes lists the nodes known, this one included.
	Nodes() []transport.NodeInfo
}

// Admin is what the broker needs from whoever runs the cluster. The errors
// are *transport.Error.
type Admin interface {
	// Status describes the groups, as their leaders see them; stale: as this node does.
	Status(ctx context.Context, stale bool) (transport.ClusterInfo, error)

	// Control changes membership or leadership, on whatever node it has to be done.
	Control(ctx context.Context, c transport.Control) error
}
