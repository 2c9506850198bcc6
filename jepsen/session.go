//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/report"
	"github.com/ferrymq/ferrymq/jepsen/report/progress"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// ErrRed says that a session found something.
var ErrRed = errors.New("the run is red")

// WorkloadNames lists the workloads of a session that names none.
func WorkloadNames() []string {
	var names []string
	for _, w := range workload.Core() {
		names = append(names, w.Name())
	}
	return names
}

// Run makes a session of runs. It isolates this process first, by starting it
// again (see lab.Enter), and returns only behind that.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return err
	}
	if err := lab.Enter(); err != nil {
		return err
	}
	s := &session{o: o}
	return s.conduct(ctx)
}

// session is a row of runs. It lives in the lab.
type session struct {
	o         Options
	screen    *progress.Display
	summaries []report.Summary
	longest   time.Duration
	short     bool // the budget ended it before its last run
}

// plan is what one run of a session is.
type plan struct {
	number  int // from 1
	nemesis nemesis
	seed    uint64
}

func (s *session) plans() []plan {
	var all []plan
	for range s.o.Rounds {
		for _, name := range s.o.Nemeses {
			n, _ := nemesisOf(name) // Validate knows them all
			all = append(all, plan{len(all) + 1, n, s.o.Seed + uint64(len(all))})
		}
	}
	return all
}

// conduct makes every run, one after another, each with its report, and ends
// with the last line.
func (s *session) conduct(ctx context.Context) error {
	began := time.Now()
	plans := s.plans()
	s.screen = progress.New(s.o.Out, len(plans))
	for _, p := range plans {
		if s.o.Budget > 0 && time.Since(began)+s.longest > s.o.Budget {
			s.short = true
			break
		}
		if err := s.one(ctx, p); err != nil {
			s.screen.Stop()
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	s.screen.Stop()
	sum := report.Sum(s.summaries)
	if s.short {
		sum.Failed = append(sum.Failed, "out of time")
	}
	fmt.Fprintln(s.o.Out, sum.String())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !sum.OK():
		return ErrRed
	}
	return nil
}

// one makes one run and writes its report. Its error is the harness's own.
func (s *session) one(ctx context.Context, p plan) error {
	name := fmt.Sprintf("%03d-%s", p.number, p.nemesis.name)
	dir := filepath.Join(s.o.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	began := time.Now()
	d := report.Data{Version: s.o.Version, Options: s.kept(p)}
	run, verdicts, failed := s.make(ctx, p, dir)
	d.Run, d.Verdicts, d.Logs = run, verdicts, logsIn(dir)
	var summary report.Summary
	if run == nil {
		summary = report.Summary{Dir: name, Nemesis: p.nemesis.name, Seed: p.seed}
	} else {
		if err := report.Write(dir, d); err != nil {
			return err
		}
		summary = report.Summarize(name, d)
	}
	if failed != nil {
		summary.Error = failed.Error()
	}
	s.longest = max(s.longest, time.Since(began))
	s.summaries = append(s.summaries, summary)
	s.tell(summary, time.Since(began))
	if err := report.WriteIndex(s.o.Dir, s.summaries); err != nil {
		return err
	}
	if errors.Is(failed, errLeftOver) {
		return failed
	}
	return nil
}

func (s *session) tell(r report.Summary, took time.Duration) {
	cells := 0
	for _, c := range r.Cells {
		if c.Workload != "" {
			cells++
		}
	}
	s.screen.End(r.OK(), "%-16s seed %d: %d cells, %d of %d faults bit, %d confirmed, longest gap %v, %v",
		r.Nemesis, r.Seed, cells, r.Bites, r.Faults, r.Confirmed, r.Gap.Round(time.Millisecond), took.Round(100*time.Millisecond))
	for _, f := range r.Failures() {
		s.screen.Say("    %s", f)
	}
}

// aside is about what a run takes besides its faults.
const aside = 15 * time.Second

// make makes one run and judges it. What did happen is judged also when the
// run could not be carried to its end.
func (s *session) make(ctx context.Context, p plan, dir string) (run *history.Run, verdicts []check.Verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, runPatience+s.o.Time)
	defer cancel()
	events, err := os.Create(filepath.Join(dir, "harness.log"))
	if err != nil {
		return nil, nil, err
	}
	a, err := newArena(ctx, s.o, p, dir, events)
	if err != nil {
		return nil, nil, errors.Join(err, events.Close())
	}
	s.screen.Begin(progress.Run{
		Name: p.nemesis.name, Length: s.o.Time + aside,
		Confirmed: func() int64 { return a.rec.Counts().Confirmed },
	})
	a.phase = s.screen.Phase
	loads := s.loads()
	run, agreement, err := a.conduct(p.nemesis, loads)
	err = errors.Join(err, a.close(), events.Close())
	s.screen.Phase("checking")
	verdicts = check.All(run, checkers(p.nemesis.name, loads, scale(s.o)))
	if agreement.Checker != "" {
		verdicts = append(verdicts, agreement)
	}
	return run, verdicts, err
}

// loads are fresh workloads: each is for one run.
func (s *session) loads() []workload.Workload {
	return slices.DeleteFunc(workload.Core(), func(w workload.Workload) bool {
		return !slices.Contains(s.o.Workloads, w.Name())
	})
}

// scale of the floors. A workload's own are for ten seconds at a cluster's
// full rate; faults cost some of both.
func scale(o Options) float64 {
	return min(1, o.Time.Seconds()/10) * min(1, o.Rate/defaultRate) / 2
}
