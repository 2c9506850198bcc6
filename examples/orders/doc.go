// Command orders is a worked example: a shop whose services are processes of
// their own and share nothing but a FerryMQ cluster.
//
// It owns the services (service_*.go, a file each, to be copied), the queues
// between them (topology.go), and the show around them: the world outside, the
// customers, the kills, the screen and the audit. It knows FerryMQ only through
// package client, and starts nodes with package nodes.
//
// Start reading in topology.go, then service_order.go. README.md says which file
// shows which pattern; show.go is where a run begins.
package main
