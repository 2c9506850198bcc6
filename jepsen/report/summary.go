package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Summary is a run as the session's page shows it.
type Summary struct {
	Dir     string        `json:"dir"` // of its report, from the session's folder; "" if it has none
	Nemesis string        `json:"nemesis"`
	Seed    uint64        `json:"seed"`
	Nodes   int           `json:"nodes"`
	Began   time.Time     `json:"began"`
	Length  time.Duration `json:"length"`
	Cells   []Cell        `json:"cells"`

	Faults int  `json:"faults"` // that were made
	Bites  int  `json:"bites"`  // of them, those observed to bite
	Bitten bool `json:"bitten"` // each kind of fault was, at least once; or none was promised and none made

	Confirmed  int64         `json:"confirmed"`
	Delivered  int64         `json:"delivered"`
	Unknown    int64         `json:"unknown"` // publishes and other operations
	Lost       int64         `json:"lost"`
	Unexpected int64         `json:"unexpected"`
	Ghost      int64         `json:"ghost"`
	Gap        time.Duration `json:"gap"` // the longest between two confirms

	// Error says why the run has no verdicts, or not all: the harness failed.
	Error string `json:"error,omitempty"`

	Confirms []int32 `json:"confirms,omitempty"` // over the run, in equal parts
	Shades   []Shade `json:"shades,omitempty"`
}

// Cell is the verdict on one workload in one run, by all its checkers.
type Cell struct {
	Workload string       `json:"workload"` // "": of the whole run
	Result   check.Result `json:"result"`
	Checkers int          `json:"checkers"`
	Problems int64        `json:"problems"`
	First    string       `json:"first,omitempty"` // the first problem
}

// Shade is a fault, in parts of the run's length.
type Shade struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// sparkParts is how many confirm counts a summary has, and shadesMax how many faults.
const (
	sparkParts = 60
	shadesMax  = 40
)

// Calm is the name of a nemesis that makes no fault.
const Calm = "none"

// Summarize sums a run up whose report is in dir.
func Summarize(dir string, d Data) Summary {
	a := axisOf(d.Run)
	s := Summary{
		Dir: dir, Nemesis: d.Run.Nemesis, Seed: d.Run.Seed, Nodes: len(d.Run.Nodes),
		Began: d.Run.Began, Length: time.Duration(a.end), Cells: cellsOf(d.Verdicts),
		Confirms: make([]int32, sparkParts), Faults: len(d.Run.Faults), Bitten: bitten(d.Run),
	}
	var t tally
	for i := range d.Run.Ops {
		o := &d.Run.Ops[i]
		t.add(o)
		if o.Kind == history.Publish && o.Outcome == history.OK {
			s.Confirms[a.slot(o.Return, sparkParts)]++
		}
	}
	s.Confirmed, s.Delivered, s.Unknown = t.Confirmed, t.Delivered, t.Unknown
	s.Gap, _ = gapOf(d.Run.Ops)
	for _, v := range d.Verdicts {
		s.Lost += v.Found["lost"]
		s.Unexpected += v.Found["unexpected"]
		s.Ghost += v.Found["ghost"]
	}
	for _, f := range d.Run.Faults {
		if f.Bitten() {
			s.Bites++
		}
	}
	end := float64(micros(a.end))
	for _, b := range thin(bandsOf(d.Run.Faults, a), shadesMax) {
		s.Shades = append(s.Shades, Shade{From: float64(b.From) / end, To: float64(b.To) / end})
	}
	return s
}

// bitten tells whether each kind of fault was observed to bite. A run that
// promised a nemesis and made no fault was not bitten.
func bitten(run *history.Run) bool {
	if len(run.Faults) == 0 {
		return run.Nemesis == "" || run.Nemesis == Calm
	}
	kinds := map[string]bool{}
	for _, f := range run.Faults {
		kinds[f.Name] = kinds[f.Name] || f.Bitten()
	}
	for _, bit := range kinds {
		if !bit {
			return false
		}
	}
	return true
}

// cellsOf joins the verdicts on each workload; the worst decides.
func cellsOf(verdicts []check.Verdict) []Cell {
	var cells []Cell
	for _, v := range verdicts {
		i := slices.IndexFunc(cells, func(c Cell) bool { return c.Workload == v.Workload })
		if i < 0 {
			i = len(cells)
			cells = append(cells, Cell{Workload: v.Workload, Result: check.Valid})
		}
		c := &cells[i]
		c.Checkers++
		for _, n := range v.Found {
			c.Problems += n
		}
		if c.Result = worse(c.Result, v.Result); c.First == "" && len(v.Problems) > 0 {
			c.First = clip(v.Checker+": "+v.Problems[0].Text, textMax)
		}
	}
	return cells
}

func worse(x, y check.Result) check.Result {
	for _, r := range []check.Result{check.Invalid, check.Undecided} {
		if x == r || y == r {
			return r
		}
	}
	return check.Valid
}

// Failures says everything for which the run is not green.
func (s Summary) Failures() []string {
	var failures []string
	if s.Error != "" {
		failures = append(failures, s.Error)
	}
	if len(s.Cells) == 0 && s.Error == "" {
		failures = append(failures, "nothing was judged")
	}
	switch {
	case s.Bitten || s.Error != "":
	case s.Faults == 0:
		failures = append(failures, "no fault was made")
	default:
		failures = append(failures, fmt.Sprintf("a fault was not seen to bite: %d of %d were", s.Bites, s.Faults))
	}
	for _, c := range s.Cells {
		if c.Result != check.Valid {
			name := c.Workload
			if name == "" {
				name = wholeRun
			}
			failures = append(failures, strings.TrimSuffix(fmt.Sprintf("%s is %s: %s", name, c.Result, c.First), ": "))
		}
	}
	return failures
}

// OK tells whether the run is green.
func (s Summary) OK() bool { return len(s.Failures()) == 0 }

// wholeRun is how the workload "" is shown.
const wholeRun = "whole run"
