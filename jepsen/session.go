//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
func WorkloadNames() []string { return namesOf(workload.All()) }

// SetNames lists what a session can be told to carry.
func SetNames() []string {
	names := []string{Both}
	for _, s := range workload.Sets() {
		names = append(names, string(s))
	}
	return names
}

// SetTexts names each set's workloads, a line each.
func SetTexts() string {
	var lines strings.Builder
	for _, s := range workload.Sets() {
		fmt.Fprintf(&lines, "Workloads (%s): %s.\n", s, strings.Join(namesOf(s.Workloads()), ", "))
	}
	return lines.String()
}

func namesOf(loads []workload.Workload) []string {
	var names []string
	for _, w := range loads {
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
	short     bool // the budget ended it before the last run that it needs
}

// conduct makes every run, one after another, each with its report, and ends
// with the last line.
func (s *session) conduct(ctx context.Context) error {
	began := time.Now()
	plans := s.o.plans()
	s.screen = progress.New(s.o.Out, len(plans))
	for i, p := range plans {
		if s.o.Budget > 0 && time.Since(began)+s.longest > s.o.Budget {
			s.short = !p.spare
			s.screen.Say("no time is left for %d of %d runs", len(plans)-i, len(plans))
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
	name := fmt.Sprintf("%03d-%s", p.number, p.name())
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
	s.tell(p, summary, time.Since(began))
	if err := report.WriteIndex(s.o.Dir, s.summaries); err != nil {
		return err
	}
	if errors.Is(failed, errLeftOver) {
		return failed
	}
	return nil
}

func (s *session) tell(p plan, r report.Summary, took time.Duration) {
	cells := 0
	for _, c := range r.Cells {
		if c.Workload != "" {
			cells++
		}
	}
	s.screen.End(r.OK(), "%-16s seed %d: %d cells, %d of %d faults bit, %d confirmed, longest gap %v, %v",
		p.name(), r.Seed, cells, r.Bites, r.Faults, r.Confirmed, r.Gap.Round(time.Millisecond), took.Round(100*time.Millisecond))
	for _, f := range r.Failures() {
		s.screen.Say("    %s", f)
	}
}

// aside is about what a run takes besides its faults.
const aside = 15 * time.Second

// make makes one run and judges it. What did happen is judged also when the
// run could not be carried to its end.
func (s *session) make(ctx context.Context, p plan, dir string) (run *history.Run, verdicts []check.Verdict, err error) {
	o := s.o.of(p)
	ctx, cancel := context.WithTimeout(ctx, runPatience+o.Time)
	defer cancel()
	events, err := os.Create(filepath.Join(dir, "harness.log"))
	if err != nil {
		return nil, nil, err
	}
	a, err := newArena(ctx, o, p, dir, events)
	if err != nil {
		return nil, nil, errors.Join(err, events.Close())
	}
	s.screen.Begin(progress.Run{
		Name: p.name(), Length: o.Time + aside,
		Confirmed: func() int64 { return a.rec.Counts().Confirmed },
	})
	a.phase = s.screen.Phase
	loads := o.loads(p.set)
	run, agreement, err := a.conduct(p.nemesis, loads)
	err = errors.Join(err, a.close(), events.Close())
	s.screen.Phase("checking")
	verdicts = check.All(run, checkers(p.nemesis.name, p.set, loads, scale(o, len(loads))))
	if agreement.Checker != "" {
		verdicts = append(verdicts, agreement)
	}
	return run, verdicts, err
}

// scale of the floors. A workload's own are for ten seconds at a cluster's
// full rate; faults cost some of both.
func scale(o Options, loads int) float64 {
	return min(1, o.Time.Seconds()/10) * min(1, o.Rate/float64(max(1, loads))/workload.FullRate) / 2
}
