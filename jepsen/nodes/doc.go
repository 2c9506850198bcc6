// Package nodes runs a cluster of real `ferry server` processes and asks it
// how it is.
//
// It owns the processes: their folders, addresses and logs, starting, killing
// and pausing them. It knows a cluster only from outside: through package
// client, the HTTP health page and signals. Where a process runs, on loopback
// or in a namespace of its own, is its Starter's business.
//
// Start reading in cluster.go.
package nodes
