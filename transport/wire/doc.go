// Package wire writes and reads the few msgpack values that FerryMQ's
// protocol and log entries are made of: nil, booleans, integers, strings,
// binaries and arrays.
//
// It is a leaf of the standard library only, imported by the packages that
// define formats (transport, fsm). It knows no format itself. Writing is a set
// of Append functions, which choose the shortest encoding; reading is a
// Cursor, which takes any encoding of the right kind, never allocates more
// than the input justifies, and keeps the first mistake with its offset.
//
// Start reading at append.go, then cursor.go.
package wire
