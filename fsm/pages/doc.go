// Package pages is an ordered map whose keys are numbers that were mostly given
// in turn, as the places of a queue and the tokens of leases are. It keeps the
// values of 32 neighbouring keys side by side, so that what arrives in order
// takes little more than itself, and what leaves from the front moves nothing.
// A copy shares every page until one side changes it.
//
// It owns that layout, and must not know what the values are.
package pages
