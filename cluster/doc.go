// Package cluster replicates fsm.State with hashicorp/raft and knows who is
// in the cluster.
//
// It owns Raft groups (Group), the links between nodes (Peers) and the node
// that holds both together (Node): bootstrap, joining, promotion, removal. It
// never looks into a command, never talks to clients, never decides from
// gossip who may vote, and imports neither a store nor memberlist: these come
// in through Stores and Discovery.
//
// Where to start reading:
//
//	group.go       one replica of one group: open, close, View
//	propose.go     the only way into the log, and what its errors mean
//	leadership.go  gaining and losing leadership, the first entry of a term
//	adapter.go     raft.FSM around fsm.State
//	leaseclock.go, wallclock.go   the two clocks that entries carry
//	verify.go      linearizable reads
//	compact.go     snapshots and trailing logs, by bytes
//	logcache.go, rafttransport.go, streamlayer.go   what stands between raft and its parts
//	peers.go, link.go   the mesh of links
//	node.go        identity and lifecycle; bootstrap.go, join.go, autopilot.go,
//	               control.go, status.go, sameness.go what it does with them
//
// Things that are not obvious and once cost somebody dearly (the records are
// in docs/decisions):
//
//   - Heartbeats pass through raft's main loop like everything else; raft's
//     fast path for them can write a deposed leader's entry under a new term.
//   - An error is definite only if the entry was never given an index. Every
//     other error means that the outcome is unknown.
//   - raft forgets to answer entries that wait for its FSM when it shuts
//     down, so a group drains its proposals before.
//   - Raft.AppliedIndex is what was sent to the FSM, not what it has applied.
package cluster
