// Package workload is what clients do to a cluster in a run: each workload
// has its own queues and clients, writes everything down in a history, and
// names the checkers that judge it.
//
// It owns the workloads and the one way in which an operation of package
// client becomes an operation of a history. It knows a cluster only through
// package client, and neither faults nor processes: it runs against real nodes
// and in the simulation alike.
//
// Start reading in workload.go, then work.go: a new workload is a file like it,
// and a line in all.go. What all have in common is crew.go and member.go, and
// client.go and the files named after operations are what writes down.
package workload
