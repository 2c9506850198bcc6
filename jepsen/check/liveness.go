package check

import (
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Liveness judges that the cluster serves: soon after everything is whole
// again, and all the time while a fault that leaves a majority stays. Answers
// of the state machine, refusals included, are service; no answer, a late one,
// and one that says that nobody can serve, are not.
type Liveness struct {
	Workload string // "": of all

	// Except are workloads whose clients break their own connections: how long
	// they wait after that is no service of the cluster's.
	Except []string

	LeaderMax time.Duration // from the healing until every node knows a leader; 0: 5 s
	ServeMax  time.Duration // for any operation that is called after the healing; 0: 10 s
	DrainMax  time.Duration // from the end of the workloads until all is empty; 0: 60 s

	Settle       time.Duration // that a frozen fault is given before it is judged; 0: 10 s
	Availability float64       // least part of the operations then; 0: 0.99
	P99Max       time.Duration // of those; 0: 1 s
	TermsMax     uint64        // gained in a frozen fault; 0: 3

	Floors LivenessFloors
}

// LivenessFloors is how much has to have been seen.
type LivenessFloors struct {
	Probes int64 // after the healing
	Healed int64 // operations after the healing
	Frozen int64 // operations in frozen faults
}

func (l Liveness) Name() string { return "liveness" }

func (l *Liveness) fillDefaults() {
	fill := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	fill(&l.LeaderMax, 5*time.Second)
	fill(&l.ServeMax, 10*time.Second)
	fill(&l.DrainMax, 60*time.Second)
	fill(&l.Settle, 10*time.Second)
	fill(&l.P99Max, time.Second)
	if l.Availability == 0 {
		l.Availability = 0.99
	}
	if l.TermsMax == 0 {
		l.TermsMax = 3
	}
}

// Check takes n log n for each frozen fault, of which there are few.
func (l Liveness) Check(run *history.Run) Verdict {
	l.fillDefaults()
	v := NewVerdict(l.Name(), l.Workload)
	w := &watch{Liveness: l, run: run, v: v, gone: map[uint32][]int64{}}
	for _, o := range pick(run, l.Workload, nil) {
		switch {
		case o.Kind == history.Gone:
			w.gone[o.Client] = append(w.gone[o.Client], o.Call)
		case asked(o) && !slices.Contains(l.Except, o.Workload):
			w.ops = append(w.ops, o)
		}
	}
	w.leaders()
	healed := w.healed()
	w.drained()
	frozen := int64(0)
	for _, f := range run.Faults {
		if f.Frozen {
			frozen += w.frozen(f)
			w.terms(f)
		}
	}
	v.Saw("probes", w.probes, l.Floors.Probes)
	v.Saw("ops after healing", healed, l.Floors.Healed)
	v.Saw("ops in frozen faults", frozen, l.Floors.Frozen)
	return v.Done()
}

// watch is one check under way.
type watch struct {
	Liveness
	run    *history.Run
	v      *Verdict
	ops    []*history.Op
	gone   map[uint32][]int64
	probes int64
}

// asked tells operations that the cluster was asked for.
func asked(o *history.Op) bool {
	switch o.Kind {
	case history.Publish, history.Ack, history.Nack, history.Reject, history.Extend, history.Create,
		history.Update, history.Delete, history.Purge, history.Pause, history.Resume, history.Read:
		return true
	}
	return false
}

// leaders: soon after the healing every node knows a leader, and in the end
// all know the same.
func (w *watch) leaders() {
	first, last := map[string]int64{}, map[string]history.Probe{}
	for _, p := range w.run.Probes {
		if p.At < w.run.Healed {
			continue
		}
		w.probes++
		if p.Error != "" || p.Leader == "" {
			continue
		}
		if at, seen := first[p.Node]; !seen || p.At < at {
			first[p.Node] = p.At
		}
		if p.At >= last[p.Node].At {
			last[p.Node] = p
		}
	}
	for _, node := range w.run.Nodes {
		at, seen := first[node]
		switch {
		case !seen:
			w.v.Add(KindLeaderless, w.run.Healed, "%s never knew a leader again", node)
			continue
		case at-w.run.Healed > int64(w.LeaderMax):
			w.v.Add(KindLeaderless, w.run.Healed, "%s knew a leader %.1f s after the healing", node, seconds(at-w.run.Healed))
		}
		if p, q := last[node], last[w.run.Nodes[0]]; q.Leader != "" && p.Leader != q.Leader {
			w.v.Add(KindLeaderless, p.At, "%s follows %s in the end, and %s follows %s", p.Node, p.Leader, q.Node, q.Leader)
		}
	}
}

// healed judges the operations that were called when everything was whole.
func (w *watch) healed() (n int64) {
	for _, o := range w.ops {
		if o.Call < w.run.Healed {
			continue
		}
		n++
		switch took := o.Return - o.Call; {
		case w.served(o) && (took <= int64(w.ServeMax) || o.Code == "busy"): // which is tried until there is room
		case w.left(o):
			w.v.Notes["left by their clients"]++
		case w.served(o):
			w.v.Add(KindSlow, o.Call, "answered after %.1f s: %s", seconds(took), o)
		default:
			w.v.Add(KindFailing, o.Call, "%s: %s", o.Error, o)
		}
	}
	return n
}

// unserved are the codes that say that nobody could serve. Busy is one unless
// it is the queue's own limit.
var unserved = map[string]bool{
	"unknown_outcome": true, "no_leader": true, "not_leader": true, "timeout": true, "shutting_down": true,
	"internal": true, "closed": true, "handshake": true, "malformed": true, "version": true, "limit": true,
	"session_expired": true, "": true,
}

var limits = map[string]bool{"messages": true, "bytes": true}

// served tells an operation that was carried out, or refused by the queue's rules.
func (w *watch) served(o *history.Op) bool {
	switch {
	case o.Outcome == history.OK:
		return true
	case o.Outcome != history.Fail:
		return false
	case o.Code == "busy":
		return limits[o.Cause]
	}
	return !unserved[o.Code]
}

// left tells an operation whose client ended before the answer.
func (w *watch) left(o *history.Op) bool {
	for _, at := range w.gone[o.Client] {
		if at >= o.Call-int64(time.Second) && at <= o.Return || o.Code == "closed" && at <= o.Call {
			return true
		}
	}
	return false
}

func (w *watch) drained() {
	switch took := w.run.Drained - w.run.Stopped; {
	case w.run.Drained == 0:
		w.v.Add(KindUndrained, w.run.Stopped, "the queues were not emptied")
	case took > int64(w.DrainMax):
		w.v.Add(KindSlow, w.run.Drained, "emptying the queues took %.1f s", seconds(took))
	}
}

// frozen judges the operations during a fault that left a majority.
func (w *watch) frozen(f history.Fault) int64 {
	from := f.From + int64(w.Settle)
	var took []int64
	served, n := 0, 0
	for _, o := range w.ops {
		if o.Call < from || o.Call >= f.To || w.left(o) {
			continue
		}
		n++
		if w.served(o) {
			served++
			took = append(took, o.Return-o.Call)
		}
	}
	if n == 0 {
		return 0
	}
	if part := float64(served) / float64(n); part < w.Availability {
		w.v.Add(KindUnavailable, from, "%s: %d of %d operations were served, %.2f %%", f.Name, served, n, 100*part)
	}
	if slices.Sort(took); len(took) > 0 {
		if p99 := took[len(took)*99/100]; p99 > int64(w.P99Max) {
			w.v.Add(KindSlow, from, "%s: the 99th percentile is %.2f s", f.Name, seconds(p99))
		}
	}
	return int64(n)
}

// terms: a fault that stays causes few elections.
func (w *watch) terms(f history.Fault) {
	before, after := uint64(0), uint64(0)
	for _, p := range w.run.Probes {
		switch {
		case p.At <= f.From:
			before = max(before, p.Term)
		case p.At <= f.To+int64(w.LeaderMax):
			after = max(after, p.Term)
		}
	}
	if before != 0 && after > before+w.TermsMax {
		w.v.Add(KindElections, f.From, "%s: term %d became %d", f.Name, before, after)
	}
}

func seconds(nanos int64) float64 { return float64(nanos) / 1e9 }
