// Package lab is the place where real processes run and can be hurt without
// harm to the machine.
//
// It owns the isolation of a whole run (Enter: namespaces of its own, so that
// the kernel removes every process, mount and network of a run that ends in
// any way), and the processes in it: each in the network namespace of its host,
// each with a wall clock of its own. Package lab/wire is the network between
// the hosts, lab/clock the clocks. It knows nothing of what the processes do.
//
// It needs Linux and root (or sudo without a password), and says so.
//
// Start reading in enter_linux.go, then lab_linux.go.
package lab
