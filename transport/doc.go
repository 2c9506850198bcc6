// Package transport is FerryMQ's bytes on the network: the preface that opens
// a connection, frames with checksums, the bodies inside them, one connection
// with its bounded outbox, the shared port, and the seam to the network
// itself. docs/protocol.md specifies the same for people who write a client
// in another language.
//
// It knows nothing of sessions, queues or Raft: it carries their words and
// never acts on them. It imports nothing of ours but transport/wire.
//
// Where to start reading: op.go, body.go (with the files that it names) and
// peer.go are the vocabulary; frame.go and preface.go are the bytes around it;
// encode.go and events.go (hot bodies), marshal.go and unmarshal.go (cold
// ones) turn bodies into bytes; conn.go is one connection, mux.go the shared
// port, network.go the seam.
package transport
