// Package sim runs a whole cluster in memory: broker, state machine, Raft,
// links between nodes and clients, wired as the ferry program wires them, over
// a network and stores that are values. Inside a testing/synctest bubble an
// hour takes seconds.
//
// It owns the hosts and what survives their processes. It has no behaviour of
// its own. Start reading in host.go; the tests judge with package jepsen.
package sim
