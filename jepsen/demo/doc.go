// Command demo shows what FerryMQ is for: three nodes as separate processes, a real
// file published line by line and consumed on all of them, the leader killed on
// the way with SIGKILL, and every line accounted for at the end.
//
// It owns the story and the screen. The processes and the accounting are
// package jepsen's. Start reading in main.go.
package main
