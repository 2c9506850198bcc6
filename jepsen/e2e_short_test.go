//go:build linux && !long

package jepsen

import "time"

// How long the tests under kills are: each goes on until so many leaders have
// died under it. killsMax bounds all of them together.
const (
	killsWanted = 2
	killsMax    = 5 * time.Minute
)
