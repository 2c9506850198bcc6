// Package timers owns the workload of `ferry bench timers`: many delayed
// messages that become due beside a steady load, and how late each arrives. It
// speaks to a cluster only through package client. Start reading at Run in
// run.go.
package timers
