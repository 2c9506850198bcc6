// Package attack is bad input for a cluster, as a table.
//
// It owns the attacks and what must be seen after each: its typed error, or
// the connection closed by its deadline, and a cluster that goes on working.
// It writes and reads bytes by itself, from the specification, and shares no
// codec with the broker, so that a mistake in one does not hide in both.
//
// Start reading in table.go; to add an attack, add a row. raw.go holds the
// connection that the rows are written with.
package attack
