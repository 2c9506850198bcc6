//go:build linux

package jepsen

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// Options of a session of runs.
type Options struct {
	// Binary is the ferry program that is put to the test. Required.
	Binary string
	// Dir takes the report. Required.
	Dir string
	// Seed of everything that is drawn; the same seed gives the same schedule.
	Seed uint64
	// Nemeses by name, one run each, in this order; empty: all of them.
	Nemeses []string
	// Set of workloads that a run carries: the name of a workload.Set, or Both,
	// which makes runs with each and is what is meant by nothing.
	Set string
	// Workloads by name; empty: all of the set.
	Workloads []string
	// Time of each run with faults at work; 0: 5 s with the core workloads, 4 s
	// with the others. Before it come a warm-up, after it healing, more traffic,
	// and draining.
	Time time.Duration
	// Rate is how many messages a second all workloads publish together (6,000).
	Rate float64
	// Rounds is how often the nemeses are gone through, with another seed each (1).
	Rounds int
	// Nodes of the cluster, 3 or 5; 0: what the nemesis needs.
	Nodes int
	// Budget ends the session before a run that would not fit any more; 0: none.
	Budget time.Duration
	// Args for every node besides the suite's own.
	Args []string
	// Version of the program, for the report.
	Version string
	// Out takes the progress, one line a run, and the last line. Terminal: a
	// bar may be drawn.
	Out      io.Writer
	Terminal bool
}

// Both sets of workloads, each in runs of its own.
const Both = "both"

const (
	defaultRate = 6000
	timeMin     = 4 * time.Second // a fault that stays is judged after frozenSettle
	timeMax     = time.Hour
	rateMax     = 1e6
	roundsMax   = 1000
)

func (o Options) withDefaults() Options {
	if o.Set == "" {
		o.Set = Both
	}
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Rounds == 0 {
		o.Rounds = 1
	}
	if len(o.Nemeses) == 0 {
		o.Nemeses = NemesisNames()
	}
	if len(o.Workloads) == 0 {
		for _, s := range o.sets() {
			o.Workloads = append(o.Workloads, namesOf(s.Workloads())...)
		}
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// defaultTimes of a run with faults at work, by the workloads that it carries.
// Runs with the core workloads are made under every fault, so they are longer.
var defaultTimes = map[workload.Set]time.Duration{
	workload.SetCore:     5 * time.Second,
	workload.SetFeatures: 4 * time.Second,
}

// sets are those that the session makes runs with.
func (o Options) sets() []workload.Set {
	if o.Set == Both {
		return workload.Sets()
	}
	return []workload.Set{workload.Set(o.Set)}
}

// of are the options of one run.
func (o Options) of(p plan) Options {
	if o.Time == 0 {
		o.Time = defaultTimes[p.set]
	}
	return o
}

// Validate tells every mistake, after defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var wrong []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	bad(o.Binary != "", "no program to test is named")
	bad(o.Dir != "", "no folder for the report is named")
	bad(o.Time == 0 || o.Time >= timeMin && o.Time <= timeMax, "the time of a run is %v, not %v to %v", o.Time, timeMin, timeMax)
	bad(o.Rate > 0 && o.Rate <= rateMax, "the rate is %g, not above 0 and up to %g", o.Rate, float64(rateMax))
	bad(o.Rounds >= 1 && o.Rounds <= roundsMax, "there are %d rounds, not 1 to %d", o.Rounds, roundsMax)
	bad(o.Nodes == 0 || o.Nodes == 3 || o.Nodes == 5, "a cluster has 3 or 5 nodes, not %d", o.Nodes)
	bad(o.Budget >= 0, "the budget %v is negative", o.Budget)
	for _, name := range o.Nemeses {
		_, found := nemesisOf(name)
		bad(found, "no nemesis is called %q: there are %q", name, NemesisNames())
	}
	bad(o.Set == Both || slices.Contains(workload.Sets(), workload.Set(o.Set)),
		"no set of workloads is called %q: there are %q, and %q of them", o.Set, workload.Sets(), Both)
	for _, name := range o.Workloads {
		bad(slices.Contains(WorkloadNames(), name), "no workload is called %q: there are %q", name, WorkloadNames())
		bad(slices.ContainsFunc(o.sets(), func(s workload.Set) bool { return slices.Contains(namesOf(s.Workloads()), name) }),
			"workload %q is not in the set %q", name, o.Set)
	}
	return errors.Join(wrong...)
}
