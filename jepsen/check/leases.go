package check

import (
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Defaults of what ends a lease, as SEMANTICS promises them.
const (
	leaseDefault = 60 * time.Second
	// graceDefault is the least time for which a session keeps its leases
	// after its connection broke.
	graceDefault = 5 * time.Second
	// aftermath is how long after its end a fault may still keep a client away.
	aftermath = 10 * time.Second
	// closing is how long the end of a client may take: a consumer hands back
	// what no handler has begun before its client notes that it is going, and
	// leases end as long after that.
	closing = 10 * time.Second
	// noting is how much later the end of a client may be noted than a handler
	// of its own, or another consumer, gets to feel it.
	noting = time.Second
	// leaseSlack is the coarseness of the clocks that leases run on.
	leaseSlack = 50 * time.Millisecond
)

// leases tells what may have ended a lease. It never takes for granted what
// a client cannot know, and lets nothing pass that needs a time which was not
// there: a change of the leader ends no lease, and a fault only one whose
// client it kept away for a session's grace.
type leases struct {
	run    *history.Run
	grants *grants
	lease  time.Duration
	grace  time.Duration
	least  map[string]time.Duration // the shortest lease seen of a queue
	gone   map[uint32][]*history.Op // by client
	lost   map[lease][]*history.Op
	sweeps map[string][]*history.Op
}

func newLeases(l *ledger, length, grace time.Duration) *leases {
	x := &leases{
		run: l.run, grants: newGrants(l.run), lease: length, grace: grace,
		least: map[string]time.Duration{}, gone: map[uint32][]*history.Op{}, lost: map[lease][]*history.Op{},
		sweeps: l.sweeps,
	}
	if x.lease == 0 {
		x.lease = leaseDefault
	}
	if x.grace == 0 {
		x.grace = graceDefault
	}
	for _, o := range l.ops {
		switch o.Kind {
		case history.Deliver:
			if least, seen := x.least[o.Queue]; !seen || x.length(o) < least {
				x.least[o.Queue] = x.length(o)
			}
		case history.Gone:
			x.gone[o.Client] = append(x.gone[o.Client], o)
		case history.Lost:
			k := lease{o.ID.Group, o.Token}
			x.lost[k] = append(x.lost[k], o)
		}
	}
	return x
}

// mayHaveEnded tells whether the lease of a delivery may have ended before a
// moment, by anything but an ack or reject that was answered ok.
func (x *leases) mayHaveEnded(in *life, d *history.Op, before int64) bool {
	from := x.grants.earliest(d)
	return x.handedBack(in, d, before) ||
		before-x.renewed(in, d, from, before) >= int64(x.length(d)-leaseSlack) ||
		x.ended(x.gone[d.Client], d, from, before+int64(noting)) ||
		x.kept(from, before) || x.told(d) || x.deleted(d.Queue, from, before)
}

// mayHaveBeenLost is mayHaveEnded for a lease that no handler ever saw,
// granted to anybody after a moment, in a queue of which others were seen.
func (x *leases) mayHaveBeenLost(queue string, from, before int64) bool {
	if before-from >= int64(x.least[queue]-leaseSlack) || x.kept(from, before) || x.deleted(queue, from, before) {
		return true
	}
	for _, gone := range x.gone {
		if x.ended(gone, nil, from, before+int64(closing)) {
			return true
		}
	}
	return false
}

// handedBack: a nack, or a settle that nobody knows the outcome of.
func (x *leases) handedBack(in *life, d *history.Op, before int64) bool {
	for _, s := range in.settles {
		if s.Token != d.Token || s.Call > before || s.Kind == history.Extend {
			continue
		}
		if s.Outcome == history.Unknown || s.Outcome == history.OK && s.Kind == history.Nack {
			return true
		}
	}
	return false
}

// renewed is the last moment from which the lease certainly ran anew.
func (x *leases) renewed(in *life, d *history.Op, from, before int64) int64 {
	for _, s := range in.settles {
		if s.Kind == history.Extend && s.Token == d.Token && s.Outcome == history.OK && s.Return <= before {
			from = max(from, s.Call)
		}
	}
	return from
}

// length of a lease: what the delivery says, or the queue's.
func (x *leases) length(d *history.Op) time.Duration {
	if d.Value != 0 {
		return time.Duration(d.Value) * time.Millisecond
	}
	return x.lease
}

// ended: the client ended, or this consumer of it did.
func (x *leases) ended(gone []*history.Op, d *history.Op, from, before int64) bool {
	for _, g := range gone {
		mine := g.Consumer == 0 || d == nil || g.Consumer == d.Consumer
		if mine && g.Call <= before && g.Return+int64(closing) >= from {
			return true
		}
	}
	return false
}

// kept: a fault may have kept the client away for as long as its session
// keeps leases.
func (x *leases) kept(from, before int64) bool {
	for _, f := range x.run.Faults {
		since := max(f.From, from)
		if since <= f.To+int64(aftermath) && before-since >= int64(x.grace-leaseSlack) {
			return true
		}
	}
	return false
}

// toldReasons end a lease at the broker's word. That it ran out, or that there
// is a newer one, is judged by the time.
var toldReasons = []string{"session_ended", "session ended", "session_expired", "queue_gone", "queue was deleted"}

// told: the holder was told that its lease is over, and why.
func (x *leases) told(d *history.Op) bool {
	for _, o := range x.lost[lease{d.ID.Group, d.Token}] {
		for _, reason := range toldReasons {
			if strings.Contains(o.Cause, reason) || strings.Contains(o.Error, reason) {
				return true
			}
		}
	}
	return false
}

func (x *leases) deleted(queue string, from, before int64) bool {
	for _, o := range x.sweeps[strings.TrimSuffix(queue, deadLetterSuffix)] {
		if o.Kind == history.Delete && o.Call <= before && until(o) >= from {
			return true
		}
	}
	return false
}
