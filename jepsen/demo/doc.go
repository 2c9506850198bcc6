// Command demo shows what FerryMQ is for: three nodes as separate processes, a real
// file published line by line and consumed on all of them, the leader killed on
// the way with SIGKILL, and every line accounted for at the end.
//
// It owns the story, its clients and the screen. The processes are package
// nodes', what clients saw is written down in a history, and package check
// accounts for it. Start reading in main.go, then show.go.
package main
