// Package clock gives one process a wall clock of its own, without a special
// build of its program.
//
// Programs ask for the time through the vDSO, code that the kernel maps into
// every process. At exec, before the first instruction of the program, that
// code is overwritten in the process's private copy by a routine that asks the
// kernel and adds an offset, which is changed later while the process runs.
// Go programs (pure, with cgo or the race detector) and the C library all go
// this way. The monotonic clock is left alone, as on a real machine whose wall
// clock is set.
//
// What the kernel itself stamps (files, packets, timers that wait for a wall
// time) and what asks it by a raw system call keeps the true time. The children
// of a process get a vDSO of their own, hence the true time too.
//
// It owns the patch and knows nothing of what runs. Start reading in
// clock_linux.go; routine_linux_amd64.go is the machine code.
package clock
