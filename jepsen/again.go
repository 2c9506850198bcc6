//go:build linux

package jepsen

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/report"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// Names of the options that a report keeps.
const (
	keepNemesis = "nemesis"
	keepSeed    = "seed"
	keepTime    = "time"
	keepRate    = "rate"
	keepNodes   = "nodes"
	keepSet     = "set" // a report without it is of the core workloads
)

// kept are the options that make a run again.
func (s *session) kept(p plan) map[string]string {
	return map[string]string{
		keepNemesis: p.nemesis.name,
		keepSeed:    strconv.FormatUint(p.seed, 10),
		keepSet:     string(p.set),
		keepTime:    s.o.of(p).Time.String(),
		keepRate:    strconv.FormatFloat(s.o.Rate, 'g', -1, 64),
		keepNodes:   strconv.Itoa(s.o.Nodes),
	}
}

// OptionsOf reads the options of the run whose report is in dir.
func OptionsOf(dir string) (o Options, err error) {
	d, err := report.Read(dir)
	if err != nil {
		return o, err
	}
	return optionsOf(d)
}

func optionsOf(d report.Data) (o Options, err error) {
	var errs [4]error
	o.Nemeses = []string{d.Options[keepNemesis]}
	o.Set = cmp.Or(d.Options[keepSet], string(workload.SetCore))
	o.Seed, errs[0] = strconv.ParseUint(d.Options[keepSeed], 10, 64)
	o.Time, errs[1] = time.ParseDuration(d.Options[keepTime])
	o.Rate, errs[2] = strconv.ParseFloat(d.Options[keepRate], 64)
	o.Nodes, errs[3] = strconv.Atoi(d.Options[keepNodes])
	if err := errors.Join(errs[:]...); err != nil {
		return o, fmt.Errorf("the report's options: %w", err)
	}
	return o, nil
}

// Report checks the recorded operations of a run's report, or of every run of
// a session's, again, draws the pages anew, and ends with the last line.
func Report(dir string, out io.Writer) error {
	runs, err := report.ReadIndex(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return reportOne(dir, out)
	}
	if err != nil {
		return err
	}
	for i, old := range runs {
		if old.Error != "" {
			continue // it was not carried to its end, which no checker changes
		}
		if runs[i], err = recheck(filepath.Join(dir, old.Dir), old.Dir); err != nil {
			return fmt.Errorf("run %s: %w", old.Dir, err)
		}
	}
	if err := report.WriteIndex(dir, runs); err != nil {
		return err
	}
	return conclude(out, runs)
}

func reportOne(dir string, out io.Writer) error {
	s, err := recheck(dir, "")
	if err != nil {
		return err
	}
	return conclude(out, []report.Summary{s})
}

func conclude(out io.Writer, runs []report.Summary) error {
	for _, r := range runs {
		for _, f := range r.Failures() {
			fmt.Fprintf(out, "%s: %s\n", r.Nemesis, f)
		}
	}
	sum := report.Sum(runs)
	fmt.Fprintln(out, sum.String())
	if !sum.OK() {
		return ErrRed
	}
	return nil
}

// recheck judges a run by this program's checkers.
func recheck(dir, name string) (report.Summary, error) {
	d, err := report.Read(dir)
	if err != nil {
		return report.Summary{}, err
	}
	o, err := optionsOf(d)
	if err != nil {
		return report.Summary{}, err
	}
	// The nodes' single logs are not in the report.
	agreement := slices.DeleteFunc(slices.Clone(d.Verdicts), func(v check.Verdict) bool { return v.Checker != agreementName })
	loads := loadsOf(d.Run)
	d.Verdicts = append(check.All(d.Run, checkers(d.Run.Nemesis, workload.Set(o.Set), loads, scale(o, len(loads)))), agreement...)
	if err := report.Redraw(dir, d); err != nil {
		return report.Summary{}, err
	}
	return report.Summarize(name, d), nil
}

// agreementName is the checker of the nodes' logs against each other.
const agreementName = "log agreement"

// loadsOf are the workloads that left operations in a run.
func loadsOf(run *history.Run) []workload.Workload {
	seen := map[string]bool{}
	for i := range run.Ops {
		seen[run.Ops[i].Workload] = true
	}
	return slices.DeleteFunc(workload.All(), func(w workload.Workload) bool { return !seen[w.Name()] })
}
