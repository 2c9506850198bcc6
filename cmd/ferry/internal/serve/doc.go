// Package serve wires a node: the one place where the packages of FerryMQ
// meet. It owns the order in which things start and stop, what becomes of a
// failure, the data folder's lock, and the HTTP server. It decides nothing
// about queues or membership.
//
// Start reading at Supervise in supervisor.go (what outlives a rebuild), then
// startNode in node.go (what does not).
//
// A data folder holds
//
//	LOCK           held while the process runs
//	identity.json  the node's name, server id and cluster; identity.json.copy
//	               is the same again
//	group-0/       the stores of group 0; see package cluster/store
package serve
