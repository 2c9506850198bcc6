// Package load owns the workloads of `ferry bench`: what is sent, how it is
// bounded, and how it is measured. It speaks to a cluster only through package
// client. Start reading at Run in run.go.
package load
