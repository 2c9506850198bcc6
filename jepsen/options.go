//go:build linux

package jepsen

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
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
	// Workloads by name; empty: all of them.
	Workloads []string
	// Time of each run with faults at work (6 s). Before it come a warm-up,
	// after it healing, more traffic, and draining.
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

const (
	defaultTime = 6 * time.Second
	defaultRate = 6000
	timeMin     = 4 * time.Second // a fault that stays is judged after frozenSettle
	timeMax     = time.Hour
	rateMax     = 1e6
	roundsMax   = 1000
)

func (o Options) withDefaults() Options {
	if o.Time == 0 {
		o.Time = defaultTime
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
		o.Workloads = WorkloadNames()
	}
	if o.Out == nil {
		o.Out = io.Discard
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
	bad(o.Time >= timeMin && o.Time <= timeMax, "the time of a run is %v, not %v to %v", o.Time, timeMin, timeMax)
	bad(o.Rate > 0 && o.Rate <= rateMax, "the rate is %g, not above 0 and up to %g", o.Rate, float64(rateMax))
	bad(o.Rounds >= 1 && o.Rounds <= roundsMax, "there are %d rounds, not 1 to %d", o.Rounds, roundsMax)
	bad(o.Nodes == 0 || o.Nodes == 3 || o.Nodes == 5, "a cluster has 3 or 5 nodes, not %d", o.Nodes)
	bad(o.Budget >= 0, "the budget %v is negative", o.Budget)
	for _, name := range o.Nemeses {
		_, found := nemesisOf(name)
		bad(found, "no nemesis is called %q: there are %q", name, NemesisNames())
	}
	for _, name := range o.Workloads {
		bad(slices.Contains(WorkloadNames(), name), "no workload is called %q: there are %q", name, WorkloadNames())
	}
	return errors.Join(wrong...)
}
