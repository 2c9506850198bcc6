// Package logentry translates entries of the Raft log into the words of
// package jepsen/history, for who prints a log and for the simulation, which
// has one at hand.
//
// It does not know where entries come from, nor what they do to a queue.
package logentry
