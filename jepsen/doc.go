// Package jepsen breaks a real cluster and judges what its clients saw.
//
// It owns runs: a place with hosts, disks and clocks that can be hurt
// (arena.go), what hurts them and how a fault is seen to have bitten
// (nemesis.go and the files named after it), the phases that a run goes through
// (phases.go), and sessions, which are rows of runs with their reports
// (session.go). A run needs Linux; its files and their tests are tagged so.
// It knows a cluster only from outside: through package client, the HTTP
// health page and signals to processes, and shares no code with the broker.
//
// Start reading at phases.go. The rest are packages of their own:
//
//   - history: the words of a run, and the recorder
//   - check: what a queue promises, and what a history says of it
//   - witness: the same, from the committed log
//   - workload: what clients do
//   - nodes: a cluster of processes
//   - lab: namespaces, the network between them, their clocks
//   - ferryfs: disks that fail
//   - report: what a run leaves behind for people
//   - sim: the whole cluster in memory; it alone imports what it tests
//   - mutants: whether all this finds planted bugs
//   - attack: bad input
//   - demo: the program behind `make demo`
package jepsen
