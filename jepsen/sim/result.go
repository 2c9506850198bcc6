package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/witness"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// Result of a run.
type Result struct {
	Seed      uint64
	Simulated time.Duration
	Ops       int64
	Faults    int
	Bitten    int
	Rebuilt   int64
	Totals    check.Totals
	Verdicts  []check.Verdict
	Lines     int64
	Hash      string
	Run       *history.Run
	Wrong     []string // what makes the run red; none: it is green
}

const (
	opsASecond = 10               // a run with less is worth too little
	faultGap   = 20 * time.Second // and so is one with longer peace
)

// result judges a run that came as far as err.
func (p *play) result(err error, length time.Duration) Result {
	p.run.Ops, p.run.Faults, p.run.Probes = p.rec.Ops(), p.faults, p.probes
	r := Result{Run: &p.run, Seed: p.seed, Simulated: time.Duration(p.run.Ended), Ops: int64(len(p.run.Ops)), Faults: len(p.faults)}
	if err != nil {
		r.wrong("%v", err)
	}
	for _, problem := range p.w.problems {
		r.wrong("%s", problem)
	}
	for _, f := range p.faults {
		if f.Bitten() {
			r.Bitten++
		}
	}
	for _, h := range p.w.Hosts {
		r.Rebuilt += h.rebuilt.Load()
	}
	if err == nil {
		r.Verdicts = check.All(&p.run, p.checkers(length))
		r.Totals = check.Sum(r.Verdicts)
		p.measure(&r)
	}
	for _, v := range r.Verdicts {
		p.trace.Note("verdict", "%s", v)
		if v.Result != check.Valid {
			r.wrong("%s", v)
		}
	}
	r.Lines, r.Hash = p.trace.Sum()
	return r
}

func (r *Result) wrong(format string, args ...any) {
	r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
}

// share of the traffic of a run without faults that has to have been seen.
const share = 0.2

// checkers of a run: those of the workloads, and of the whole.
func (p *play) checkers(length time.Duration) []check.Checker {
	messages := p.rate * length.Seconds()
	floor := int64(share * messages)
	all := []check.Checker{
		witness.Checker{Operations: floor, Deliveries: floor, Indexes: floor},
		check.Digests{Floor: int64(length.Seconds() / 4)},
		check.Liveness{
			Except: []string{(*workload.Dedup)(nil).Name()},
			Floors: check.LivenessFloors{Probes: 3, Healed: 10},
		},
	}
	for _, w := range p.loads {
		all = append(all, w.Checkers(0)...) // what is rare in a run is seen in a campaign
	}
	return all
}

// measure holds the run to its floors.
func (p *play) measure(r *Result) {
	working := time.Duration(p.run.Stopped)
	if float64(r.Ops) < opsASecond*working.Seconds() {
		r.wrong("%d operations in %.0f s are fewer than %d a second", r.Ops, working.Seconds(), opsASecond)
	}
	last := int64(0)
	for _, f := range append(p.run.Faults, history.Fault{From: p.run.Healed}) {
		if gap := time.Duration(f.From - last); gap > faultGap && last != 0 {
			r.wrong("no fault for %.1f s", gap.Seconds())
		}
		last = f.To
	}
}

// String is one line.
func (r Result) String() string {
	verdict := "ok"
	if len(r.Wrong) > 0 {
		verdict = "RED: " + strings.Join(r.Wrong, "; ")
	}
	return fmt.Sprintf("seed=%d simulated=%.0fs ops=%d faults=%d bitten=%d rebuilt=%d confirmed=%d lost=%d unexpected=%d ghost=%d trace=%s %s",
		r.Seed, r.Simulated.Seconds(), r.Ops, r.Faults, r.Bitten, r.Rebuilt,
		r.Totals.Confirmed, r.Totals.Lost, r.Totals.Unexpected, r.Totals.Ghost, r.Hash, verdict)
}
