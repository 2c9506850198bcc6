// Package memory is a network in memory, for tests and simulations: hosts
// with names, listeners, connections with bounded buffers and deadlines, links
// that can be cut and healed, hosts that can crash. It blocks on channels and
// timers only, so it works inside a testing/synctest bubble.
//
// It knows nothing of the bytes it carries. It is reliable: a cut link, or bad
// weather, delays bytes, as TCP does, and only a crash loses them.
//
// Start reading at network.go.
package memory
