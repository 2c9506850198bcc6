// Package suite runs the benchmarks that bring their own cluster: three `ferry
// server` processes on loopback in a folder of their own.
//
// `ferry bench suite` runs every workload at every size, and beside them
// hashicorp/raft alone in three processes, in the same run on the same disk.
// Its result is one flat set of named figures. `ferry bench timers` runs the
// workload of package timers.
//
// Everything starts from this program's own binary. Start reading at Run.
package suite
