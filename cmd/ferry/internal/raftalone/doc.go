// Package raftalone runs hashicorp/raft with nothing above it: the yardstick
// that `ferry bench suite` puts beside FerryMQ. A no-op state machine, the same
// stores, transport, timeouts and sizes of entries, three processes.
//
// Start reading at Serve in serve.go.
package raftalone
