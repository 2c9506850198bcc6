// Package broker serves clients: their connections, sessions and operations,
// and the messages that the queues hand out to them.
//
// It owns the way in (frame, command, batch, entry) and the way out (results
// and effects of an entry, grouped by connection, one frame each). It never
// changes a queue itself: the state machine (package fsm) does, on every
// replica, and the broker only acts on what its own proposals returned. It
// knows neither Raft nor how nodes find each other; what it needs from there
// are the interfaces in seam.go.
//
// Start reading at broker.go (what others call), then conn.go (one client),
// lane.go (one group: queue, route, proposals) and deliver.go (the way out).
//
// Who owns what:
//
//   - A connection has three goroutines: the reader (Serve's caller) decodes
//     frames and submits commands, the sender builds Events frames, and the
//     transport's writer writes them.
//   - A lane has two: the runner proposes or forwards batches in order, the
//     collector waits for the entries in order and hands out what they did.
//   - A link to another node has one: the relay, which sends PeerEvents.
//
// What must hold:
//
//   - Operations of a session keep their order. Once one is refused outside
//     of the state machine, its handle is broken: everything after it is
//     refused too, until the client attaches again.
//   - A handle is bound to its session by the result of its Attach and before
//     the effects of the same entry are handed out; a higher epoch replaces it.
//   - The runner of a lane is the only caller of Group.Propose.
package broker
