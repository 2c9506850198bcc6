// Package suite runs `ferry bench suite`: three `ferry server` processes on
// loopback in a folder of their own, every workload at every size, and beside
// them hashicorp/raft alone in three processes, in the same run on the same
// disk. Its result is one flat set of named figures.
//
// Everything starts from this program's own binary. Start reading at Run.
package suite
