package cluster

import (
	"strings"

	"github.com/hashicorp/raft"
)

// Raft's address of a server is "<server id>@<host:port>". hashicorp/raft
// allows an address only once in a configuration and remembers votes by
// address: with the server id in it, a node that was rebuilt can join beside
// its dead self at the same host and port, and never inherits its votes.

// RaftAddr makes the address of a server.
func RaftAddr(serverID, hostPort string) raft.ServerAddress {
	return raft.ServerAddress(serverID + "@" + hostPort)
}

// hostPort is where an address listens.
func hostPort(addr raft.ServerAddress) string {
	if _, at, found := strings.Cut(string(addr), "@"); found {
		return at
	}
	return string(addr)
}

// serverOf is the server id in an address, "" in one without.
func serverOf(addr raft.ServerAddress) string {
	id, _, found := strings.Cut(string(addr), "@")
	if !found {
		return ""
	}
	return id
}
