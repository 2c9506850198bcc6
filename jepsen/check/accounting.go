package check

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Accounting judges a work queue: every confirmed message is delivered until
// it is settled, and nothing else is. It goes by keys, which clients write into
// bodies, and believes the broker's ids nothing.
//
// A message may come again only if something had ended its lease: see leases.
// Under churn, queues are purged and deleted while messages are in them, and
// then account for what they took.
type Accounting struct {
	Workload string
	Queues   []string // none: all that the workload names

	Lease        time.Duration // the shortest of a delivery that does not tell its own; 0: 60 s
	Grace        time.Duration // of a session that lost its connection; 0: 5 s
	FailureLimit int           // that the queues dead-letter at; 0: none does
	DeadLetters  bool          // the dead-letter queues are drained too
	Churn        bool          // queues are purged and deleted
	Moved        bool          // messages are moved from one of the queues to another

	Floors AccountingFloors
}

// AccountingFloors is how many messages have to have been seen.
type AccountingFloors struct{ Confirmed, Delivered, Settled, Redelivered, Dead int64 }

func (a Accounting) Name() string { return "accounting" }

// Check is linear in the operations but for sorting.
func (a Accounting) Check(run *history.Run) Verdict {
	l := newLedger(run, a.Workload, a.Queues)
	j := &accountant{
		Accounting: a, ledger: l, v: NewVerdict(a.Name(), a.Workload),
		leases: newLeases(l, a.Lease, a.Grace),
	}
	for _, o := range l.ops {
		if o.Outcome == history.Pending || o.Return == 0 {
			j.v.Add(KindUnanswered, o.Call, "%s", o)
		}
	}
	if run.Drained == 0 {
		j.v.Add(KindUndrained, run.Stopped, "the run ended before the queues were empty")
	}
	for _, m := range l.messages {
		j.published(m)
		j.delivered(m)
		j.settled(m)
		j.died(m)
	}
	j.missed()
	j.count()
	return j.v.Done()
}

// accountant is one check under way.
type accountant struct {
	Accounting
	*ledger
	v      *Verdict
	leases *leases

	undelivered []*message // confirmed, and not swept

	attempted, confirmed, seen, done, again, deads int64
}

// published judges what became of a publish.
func (j *accountant) published(m *message) {
	p := m.publish
	if p == nil {
		if m.delivered() {
			d := first(m)
			j.v.Add(KindUnexpected, d.Call, "never published: %s", d)
		}
		return
	}
	if m.reused {
		j.v.Add(KindReusedKey, p.Call, "%s was published twice", m.key)
	}
	j.attempted++
	switch p.Outcome {
	case history.OK:
		j.confirmed++
		switch {
		case m.delivered():
		case j.Churn && j.swept(m):
			j.v.Notes["swept"]++
		default:
			j.undelivered = append(j.undelivered, m)
		}
		return
	case history.Fail:
		j.v.Notes["failed"]++
		if m.delivered() {
			j.v.Add(KindGhost, first(m).Call, "%s was refused (%s), and then: %s", m.key, p.Code, first(m))
		}
		return
	case history.Unknown:
		j.v.Notes["unknown"]++
	}
	if m.delivered() {
		j.v.Notes["recovered"]++
	}
}

// first is the delivery of a message that was seen first.
func first(m *message) *history.Op {
	var d *history.Op
	for _, list := range [][]*history.Op{m.source.deliveries, m.dead.deliveries} {
		for _, o := range list {
			if d == nil || o.Call < d.Call {
				d = o
			}
		}
	}
	return d
}

// missed tells the lost from what a queue that was not drained may still hold.
func (j *accountant) missed() {
	lost := j.undelivered
	if j.run.Drained == 0 {
		held, known := j.remaining()
		j.v.Notes["undelivered"] = int64(len(lost))
		if !known {
			held = int64(len(lost))
		}
		lost = lost[:max(0, int64(len(lost))-held)]
	}
	where := j.positions(lost)
	for _, m := range lost {
		j.v.Add(KindLost, m.publish.Call, "%s of its producer: %s", where[m], m.publish)
		j.v.Notes["lost "+where[m]]++
	}
}

// remaining is the most messages that any replica still has.
func (j *accountant) remaining() (most int64, known bool) {
	names := map[string]bool{}
	for _, o := range j.ops {
		names[o.Queue] = true
	}
	for _, r := range j.run.Replicas {
		sum := int64(0)
		for _, q := range r.Queues {
			if names[q.Name] {
				sum += int64(q.Ready + q.Leased + q.Parked)
				known = true
			}
		}
		most = max(most, sum)
	}
	return most, known
}

func (j *accountant) count() {
	j.v.Notes["attempted"] = j.attempted
	j.v.Saw("confirmed", j.confirmed, j.Floors.Confirmed)
	j.v.Saw("delivered", j.seen, j.Floors.Delivered)
	j.v.Saw("settled", j.done, j.Floors.Settled)
	j.v.Saw("redelivered", j.again, j.Floors.Redelivered)
	j.v.Saw("dead", j.deads, j.Floors.Dead)
}
