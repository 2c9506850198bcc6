// Package cli owns the commands of `ferry`: how they are named, what they
// print, and with which code the program ends.
//
// A command for people prints tables; with -o json it prints JSON for
// programs. Errors are one line on standard error. What a program may rely on
// is in docs/cli.md. The package speaks to a cluster only through package
// client, except for `ferry server` and `ferry dev`, which start nodes through
// package serve, and `ferry log`, which reads a stopped node's files through
// package logdump.
//
// Start reading at Run in run.go, then exit.go.
package cli
