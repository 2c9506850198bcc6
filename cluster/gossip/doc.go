// Package gossip finds the other nodes and tells what they say of themselves.
//
// It owns the memberlist of this node: who is known, where, whether it is
// believed to be alive, and 512 opaque bytes that each node publishes. It is
// discovery and nothing else: gossip suggests. A node that it believes dead may
// only be slow, and one that it never saw may be a voter, so nothing here may
// ever change the membership of a Raft group.
//
// The package knows nothing of Raft, of groups or of what the bytes mean.
//
// Two things about memberlist that shape this package: it calls its delegates
// with its own lock held, so they only update a table and never wait; and it
// stops talking to a dead node after half a minute, so two halves that were
// apart for longer never find each other again. Hence the loop in join.go,
// which goes on for as long as the node runs.
//
// Start reading at Start in gossip.go, then members.go.
package gossip
