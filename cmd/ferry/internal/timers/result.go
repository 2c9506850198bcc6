package timers

import (
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// Result of a run.
type Result struct {
	N         int // published
	Due       int // arrived, each counted once
	Early     int // of those, before they were due
	Repeated  int // further arrivals
	Unknown   int // arrivals of what nobody published
	Left      uint64
	Elections uint64 // from the first publish to the end
	Loading   time.Duration
	Lateness  latency.Set // from when it was due to its arrival at the consumer

	Sent    int // of the steady load
	Acked   int
	Behind  time.Duration // from the end of the window to the last ack
	Confirm latency.Set   // from the timetable to the publish's confirmation
	Through latency.Set   // to the ack's
	Failed  error         // the first of all publishes and acks

	window time.Duration
}

func (r *run) result(left, elections uint64) Result {
	t, b := r.timers.count(), r.beside.count()
	res := Result{
		N: r.o.N, Due: t.arrived, Repeated: t.repeated + b.repeated, Unknown: t.unknown + b.unknown,
		Left: left, Elections: elections, Loading: r.loading, Lateness: latency.New(),
		Sent: r.beside.total, Acked: b.acked, Failed: errors.Join(t.failed, b.failed), window: r.o.Window,
	}
	res.Confirm, res.Through, res.Behind = r.beside.measured()
	for _, a := range r.due {
		res.Early += a.early
		res.Lateness.Merge(a.lateness)
	}
	return res
}

// Verdict is what was not as it must be, nil if all was.
func (r *Result) Verdict(o Options) error {
	var errs []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	must(r.Failed == nil, "a publish or an ack failed: %w", r.Failed)
	must(r.Due == r.N, "%d of %d timers did not arrive", r.N-r.Due, r.N)
	must(r.Acked == r.Sent, "%d of %d messages beside them were not acked", r.Sent-r.Acked, r.Sent)
	must(r.Early == 0, "%d timers were early", r.Early)
	must(r.Repeated == 0, "%d messages arrived once more", r.Repeated)
	must(r.Unknown == 0, "%d messages arrived that nobody published", r.Unknown)
	must(r.Left == 0, "%d messages are left in the queues", r.Left)
	must(r.Behind <= o.Limit+o.Window/behindPart, "the messages beside them were through %s after the window: %.0f/s", r.Behind, r.PerSecond())
	late := time.Duration(r.Lateness.Millis(99) * float64(time.Millisecond))
	must(late <= o.Limit, "p99 of lateness is %s, more than %s", late, o.Limit)
	return errors.Join(errs...)
}

// PerSecond is how many messages beside the timers were published, delivered
// and acked.
func (r *Result) PerSecond() float64 { return float64(r.Acked) / (r.window + r.Behind).Seconds() }

// Line is the result for programs, but for how it ends.
func (r *Result) Line() string {
	l := r.Lateness
	return fmt.Sprintf("timers: due=%d lost=%d early=%d repeated=%d p50=%.1fms p90=%.1fms p99=%.1fms p99.9=%.1fms max=%.1fms background=%.0f/s",
		r.Due, r.N-r.Due, r.Early, r.Repeated, l.Millis(50), l.Millis(90), l.Millis(99), l.Millis(99.9), l.MaxMillis(), r.PerSecond())
}
