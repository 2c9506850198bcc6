// Package replay runs one seed of the simulation so that it does the same
// every time: the simulation, compiled for wasip1, under an interpreter of ours
// (wazero) that gives it a random source made of the seed and a clock that
// moves only when it is looked at.
//
// Natively, goroutines run as the scheduler and the other processors have it,
// and one seed is many runs. Compiled for wasip1, Go has one thread, takes all
// randomness from its host, that of maps, select and the scheduler included,
// and so has one run for each seed, with the toolchain as it is.
//
// It knows nothing of what is simulated. Start reading in program.go.
package replay
