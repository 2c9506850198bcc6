package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// verdict is what the audit found.
type verdict struct {
	placed, shipped, dead   int
	deaths                  map[string]int // by queue and reason
	charged, refunded, sold int64          // cents
	stock                   []string
	events                  int
	// Orders and events that were charged, mailed and beeped more than once.
	chargedAgain, mailedAgain, beepedAgain int
	effects                                effects
	faults                                 []string
}

// faultsShown bounds what is printed of them.
const faultsShown = 20

// print tells people, and in the last line programs.
func (v verdict) print(out io.Writer) {
	var text strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&text, "  %-10s "+format+"\n", append([]any{what}, args...)...)
	}
	fmt.Fprintf(&text, "\nthe audit, from the ledger, the dead letters, the stock cards and the providers' books:\n")
	line("orders", "%d placed %s %d shipped + %d dead", v.placed, equals(v.placed == v.shipped+v.dead), v.shipped, v.dead)
	for _, reason := range slices.Sorted(maps.Keys(v.deaths)) {
		line("", "%5d dead in %s", v.deaths[reason], reason)
	}
	line("money", "%s charged - %s given back %s %s of goods shipped",
		money(v.charged), money(v.refunded), equals(v.charged-v.refunded == v.sold), money(v.sold))
	line("stock", "%s (opening = left + taken)", strings.Join(v.stock, ", "))
	e := v.effects
	line("payment", "%d charges, orders charged twice: %d; repeated calls, which did nothing: %d",
		len(e.charges), v.chargedAgain, e.repeats["charge"]+e.repeats["refund"])
	line("e-mail", "%d mails for %d events, twice: %d; calls refused in the outage: %d, repeated: %d",
		len(e.mails), v.events, v.mailedAgain, e.refusals, e.repeats["mail"])
	line("phones", "%d beeps for %d events, twice: %d", len(e.pushes), v.events, v.beepedAgain)
	if n := len(v.faults); n > 0 {
		fmt.Fprintf(&text, "\n%d things do not add up:\n", n)
		for _, fault := range v.faults[:min(n, faultsShown)] {
			line("!", "%s", fault)
		}
	}
	fmt.Fprintln(&text, v.line())
	fmt.Fprint(out, text.String())
}

// line is for programs.
func (v verdict) line() string {
	conserved, ok := "yes", "ok"
	if len(v.faults) > 0 {
		conserved, ok = "no", "FAILED"
	}
	return fmt.Sprintf("orders: placed=%d shipped=%d dead=%d conserved=%s %s", v.placed, v.shipped, v.dead, conserved, ok)
}

func (v verdict) err() error {
	if len(v.faults) > 0 {
		return fmt.Errorf("%d things do not add up, the first: %s", len(v.faults), v.faults[0])
	}
	return nil
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// equals is the sign between two sides of a sum.
func equals(same bool) string {
	if same {
		return "="
	}
	return "≠"
}
