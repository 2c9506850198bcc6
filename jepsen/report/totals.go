package report

import (
	"fmt"
	"strings"
)

// Totals is a session in figures.
type Totals struct {
	Runs, Cells, Bitten                int
	Confirmed, Lost, Unexpected, Ghost int64
	Failed                             []string // the nemeses of the runs that are not green
}

// Sum adds runs up. A cell is one workload's verdict in one run; it is bitten
// if its run made faults and each kind was seen to bite.
func Sum(runs []Summary) Totals {
	t := Totals{Runs: len(runs)}
	for _, s := range runs {
		for _, c := range s.Cells {
			if c.Workload == "" {
				continue
			}
			t.Cells++
			if s.Bitten && s.Faults > 0 {
				t.Bitten++
			}
		}
		t.Confirmed += s.Confirmed
		t.Lost += s.Lost
		t.Unexpected += s.Unexpected
		t.Ghost += s.Ghost
		if !s.OK() {
			t.Failed = append(t.Failed, s.Nemesis)
		}
	}
	return t
}

// OK tells whether every run is green, and there was one.
func (t Totals) OK() bool { return t.Runs > 0 && len(t.Failed) == 0 }

// String is the last line of a session, for programs.
func (t Totals) String() string {
	verdict := "ok"
	switch {
	case t.Runs == 0:
		verdict = "FAILED: no run"
	case len(t.Failed) > 0:
		verdict = "FAILED: " + strings.Join(t.Failed, ", ")
	}
	return fmt.Sprintf("jepsen: cells=%d bitten=%d confirmed=%d lost=%d unexpected=%d ghost=%d %s",
		t.Cells, t.Bitten, t.Confirmed, t.Lost, t.Unexpected, t.Ghost, verdict)
}
