package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is printed is what was found, also when it is bad.
func TestVerdictOfWrongBooks(t *testing.T) {
	b := honest()
	b.world.charges["x"] = call{Key: "x", Order: b.ledger[0].Order}
	b.world.mails["x"] = b.world.mails["order.shipped-1"]
	b.world.pushes["x"] = b.world.pushes["order.shipped-1"]
	b.cards["lamp"][0].Left--
	b.ledger = slices.DeleteFunc(b.ledger, func(e Entry) bool { return e.ID == 2 && e.Kind == shipped })
	var out bytes.Buffer
	b.judge().print(&out)
	for _, line := range []string{
		"7 placed ≠ 1 shipped + 5 dead",
		"1119.00 charged - 979.00 given back ≠ 35.00 of goods shipped",
		"lamp 10 ≠ 6 + 3",
		"4 charges, orders charged twice: 1;",
		"9 mails for 7 events, twice: 1;",
		"9 beeps for 7 events, twice: 1\n",
		"conserved=no FAILED\n",
	} {
		require.Contains(t, out.String(), line)
	}
}
