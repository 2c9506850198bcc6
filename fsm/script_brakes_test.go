package fsm

import "fmt"

// What scripts say of circuit breakers, rates, and why nothing is handed out.

var breakerActions = map[string]BreakerAction{"open": BreakerOpen, "close": BreakerClose, "9": 9}

var breakerNames = map[BreakerState]string{BreakerOff: "off", BreakerClosed: "closed", BreakerIsOpen: "open", BreakerHalfOpen: "half-open"}

func (r *script) lookBreaker(queue string) {
	q, _ := r.s.Queue(queue)
	b := &q.Breaker
	fmt.Fprintf(&r.out, "%s: %s", queue, breakerNames[b.State])
	if b.ByHand {
		fmt.Fprint(&r.out, " by hand")
	}
	showIf(&r.out, "until", b.UntilMillis)
	showIf(&r.out, "length", int64(b.OpenMillis))
	showIf(&r.out, "outcomes", int64(b.Outcomes))
	showIf(&r.out, "failures", int64(b.Failures))
	showIf(&r.out, "downstream", int64(b.Downstream))
	showIf(&r.out, "probes", int64(b.Probes))
	fmt.Fprintln(&r.out)
}

func (r *script) lookExplain(queue string) {
	x, ok := r.s.Explain(queue, MaxMessageBytes)
	if !ok {
		fmt.Fprintln(&r.out, "no queue")
		return
	}
	fmt.Fprintf(&r.out, "%s:", queue)
	if len(x.Reasons) == 0 {
		fmt.Fprint(&r.out, " nothing holds it up")
	}
	for _, y := range x.Reasons {
		fmt.Fprintf(&r.out, " %s", y.Kind)
		if y.Name != "" {
			fmt.Fprintf(&r.out, "(%s)", y.Name)
		}
		showIf(&r.out, "count", int64(y.Count))
		showIf(&r.out, "of", int64(y.Of))
		showIf(&r.out, "held", int64(y.Held))
		showIf(&r.out, "lease", y.LeaseMillis)
		showIf(&r.out, "wall", y.WallMillis)
		if y.Consumer != 0 {
			fmt.Fprintf(&r.out, " %s/%d", sessionName(y.Session), y.Consumer)
		}
		if y.ByHand {
			fmt.Fprint(&r.out, " by hand")
		}
		if y.Full {
			fmt.Fprint(&r.out, " full")
		}
		if y.Full || y.Kind == WhyTopicRefuses {
			fmt.Fprintf(&r.out, " takes=%d", y.Takes)
		}
		fmt.Fprint(&r.out, ";")
	}
	fmt.Fprintln(&r.out)
}
