package check

import (
	"fmt"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Result of a check.
type Result string

const (
	Valid   Result = "valid"
	Invalid Result = "invalid"
	// Undecided is not a pass: the checker could not tell.
	Undecided Result = "undecided"
)

// Checker judges a run. It does not change it.
type Checker interface {
	Name() string
	Check(run *history.Run) Verdict
}

// Count is how much of something was checked, and how much has to be.
type Count struct {
	Name  string `json:"name"`
	Seen  int64  `json:"seen"`
	Floor int64  `json:"floor"`
}

// Problem is one broken promise.
type Problem struct {
	Kind string `json:"kind"` // "lost", "ghost", …: the same name every time
	Text string `json:"text"`
	At   int64  `json:"at"` // ns since the run began, 0 for no moment
}

// problemsMax is how many problems of a kind a verdict spells out; all are counted.
const problemsMax = 20

// Verdict of one checker on one workload.
type Verdict struct {
	Checker   string           `json:"checker"`
	Workload  string           `json:"workload"` // "": of the whole run
	Result    Result           `json:"result"`
	Checked   []Count          `json:"checked"`
	Found     map[string]int64 `json:"found,omitempty"` // problems by kind
	Problems  []Problem        `json:"problems,omitempty"`
	Notes     map[string]int64 `json:"notes,omitempty"`   // counted, and no problem: recovered, unknown, …
	Picture   string           `json:"picture,omitempty"` // HTML of its own, if there is one
	undecided string
}

// NewVerdict begins a verdict, valid until something is found.
func NewVerdict(checker, workload string) *Verdict {
	return &Verdict{Checker: checker, Workload: workload, Found: map[string]int64{}, Notes: map[string]int64{}}
}

// Add counts a problem and spells out the first ones of its kind.
func (v *Verdict) Add(kind string, at int64, format string, args ...any) {
	v.Found[kind]++
	if v.Found[kind] <= problemsMax {
		v.Problems = append(v.Problems, Problem{Kind: kind, Text: fmt.Sprintf(format, args...), At: at})
	}
}

// Saw says how much was checked and how much has to be.
func (v *Verdict) Saw(name string, seen, floor int64) {
	v.Checked = append(v.Checked, Count{Name: name, Seen: seen, Floor: floor})
}

// Undecided says why the checker could not tell.
func (v *Verdict) Undecided(why string) { v.undecided = why }

// Done ends the verdict. Having seen too little is a problem of its own, and
// what could not be told may be why.
func (v *Verdict) Done() Verdict {
	if v.undecided != "" {
		v.Problems = append(v.Problems, Problem{Kind: "undecided", Text: v.undecided})
	}
	for _, c := range v.Checked {
		if c.Seen < c.Floor {
			v.Add(KindVacuous, 0, "%s: %d is below the floor of %d", c.Name, c.Seen, c.Floor)
		}
	}
	switch {
	case len(v.Found) > 0:
		v.Result = Invalid
	case v.undecided != "":
		v.Result = Undecided
	default:
		v.Result = Valid
	}
	return *v
}

// String is one line.
func (v Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s %s", v.Workload, v.Checker, v.Result)
	for _, c := range v.Checked {
		fmt.Fprintf(&b, " %s=%d", strings.ReplaceAll(c.Name, " ", "_"), c.Seen)
	}
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "; %s: %s", p.Kind, p.Text)
	}
	return b.String()
}
