package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// What somebody does to a circuit breaker. No other checker looks at it.
const (
	OpenBreaker  history.Kind = "open_breaker"
	CloseBreaker history.Kind = "close_breaker"
)

// Breaker judges that a queue hands out nothing from when somebody was told
// that its circuit breaker is open until somebody begins to close it. One
// client does both.
type Breaker struct {
	Workload string
	Queue    string

	Floors BreakerFloors
}

// BreakerFloors is how much has to have been seen.
type BreakerFloors struct {
	Shut   int64 // times that the breaker was open
	During int64 // messages confirmed meanwhile
}

func (b Breaker) Name() string { return "breaker" }

// span is when a breaker certainly was open.
type span struct{ from, until int64 }

// Check is linear in the operations of the queue for each time that its
// breaker was open.
func (b Breaker) Check(run *history.Run) Verdict {
	v := NewVerdict(b.Name(), b.Workload)
	ops, grants := pick(run, b.Workload, []string{b.Queue}), newGrants(run)
	during := int64(0)
	spans := shut(ops)
	for _, s := range spans {
		for _, o := range ops {
			switch {
			case o.Kind == history.Publish && o.Outcome == history.OK && o.Call > s.from && o.Return < s.until:
				during++
			case o.Kind == history.Deliver && o.Token != 0 && grants.earliest(o) > s.from && grants.latest(o) < s.until:
				v.Add(KindShut, o.Call, "the breaker was open from %.3fs to %.3fs: %s", float64(s.from)/1e9, float64(s.until)/1e9, o)
			}
		}
	}
	v.Saw("shut", int64(len(spans)), b.Floors.Shut)
	v.Saw("confirmed meanwhile", during, b.Floors.During)
	return v.Done()
}

// shut finds the times between an opening that was confirmed and the next
// closing, which may happen as soon as it is asked for. Of what follows a
// closing with an unknown outcome nothing is known: it may still come.
func shut(ops []*history.Op) (all []span) {
	from := int64(-1)
	for _, o := range ops {
		switch {
		case o.Kind == OpenBreaker && o.Outcome == history.OK:
			from = o.Return
		case o.Kind == CloseBreaker && from >= 0:
			all = append(all, span{from, o.Call})
			from = -1
		}
		if o.Kind == CloseBreaker && o.Outcome == history.Unknown {
			return all
		}
	}
	return all
}
