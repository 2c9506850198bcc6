package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// bandsMax is how many faults are drawn.
const bandsMax = 300

// band is a fault as the timeline shades it.
type band struct {
	Name   string `json:"name"`
	From   int64  `json:"from"` // µs
	To     int64  `json:"to"`
	Nodes  string `json:"nodes"`
	Bites  string `json:"bites"`
	Bitten bool   `json:"bitten"`
	Leader bool   `json:"leader"`
	Frozen bool   `json:"frozen"`
}

// bandsOf are the faults in the order of time. A fault that was never lifted
// lasts until the end.
func bandsOf(faults []history.Fault, a axis) []band {
	all := make([]band, 0, len(faults))
	for i := range faults {
		f := &faults[i]
		from, to := a.clamp(f.From), a.clamp(f.To)
		if to < from {
			to = a.end
		}
		all = append(all, band{
			Name: clip(f.Name, nameMax), From: micros(from), To: micros(to),
			Nodes: clip(strings.Join(f.Nodes, ", "), textMax), Bites: bitesOf(f.Bites),
			Bitten: f.Bitten(), Leader: f.Leader, Frozen: f.Frozen,
		})
	}
	slices.SortStableFunc(all, func(x, y band) int { return cmp.Compare(x.From, y.From) })
	return thin(all, bandsMax)
}

func bitesOf(bites []history.Bite) string {
	var b strings.Builder
	for i, bite := range bites {
		if b.Len() > textMax {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s × %d", clip(bite.What, nameMax), bite.Count)
	}
	return b.String()
}
