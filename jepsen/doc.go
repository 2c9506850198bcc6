// Package jepsen breaks a real cluster and counts what its clients saw.
//
// It owns runs of real processes (package jepsen/nodes) that are
// killed with SIGKILL and started again, the history of what every client
// attempted and was answered, and the accounting that judges a history. It
// knows a cluster only from outside: through package client, the HTTP health
// page and signals to processes. Its idea of what a queue promises is its own
// and shares no code with the broker.
//
// A run is judged by counts, and a run that checked too little is not valid:
// every verdict has floors (Floors) below which it is a failure.
//
// Start reading in history.go (what is written down) and accounting.go (how it is
// judged). Package jepsen/attack holds bad input,
// jepsen/demo the program behind `make demo`, jepsen/sim the cluster in memory.
package jepsen
