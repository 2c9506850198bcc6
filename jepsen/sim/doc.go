// Package sim runs a whole cluster in memory under faults drawn from a seed:
// three or five nodes, each broker, state machine, Raft, links and stores wired
// as the ferry program wires them, and the workloads of package workload as
// clients. Inside a testing/synctest bubble an hour takes minutes; package
// replay runs one seed so that it does the same every time.
//
// Real is everything of the product but what touches the machine: package
// cluster/store stands on a simulated disk (package disk), the links on a
// simulated network (package network), a node's identity is durable at once,
// and nodes find each other through cluster.MemoryDiscovery instead of gossip.
// The host does what the program's supervisor and an init system do: it ends a
// process whose store failed, starts it again, and begins anew when a replica
// has forgotten a promise. A person removes the dead server that is left then.
//
// A seed draws the cluster's size, delays, fsyncs, the size of snapshots, the
// rate, and a handful of kinds of faults (faults.go); a fault begins at least
// every 20 simulated seconds. A pause of a machine is silence: goroutines
// cannot be held. Every run is judged by the checkers of its workloads, by the
// committed log (package witness), by digests and liveness, and by floors: of
// operations a second, of faults, of confirms after each fault.
//
// The package owns hosts, faults and runs, and no behaviour of the product.
// Start reading at Run in play.go, then host.go and faults.go.
package sim
