package check

import (
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Fates judges how messages end in queues that have more ways for it than
// acks: every confirmed message is settled in its queue, or dies there of what
// may kill one and is settled as a dead letter, or is one of those that the
// queue counts as gone. There is one of each, and its id is the one that its
// producer was told.
type Fates struct {
	Workload string
	Queues   []string // none: all that the workload names

	// Deaths are the reasons that dead letters may have.
	Deaths []string
	// Vanish is how many messages a queue counts that left it and were neither
	// settled nor dead-lettered; nil: none can.
	Vanish func(history.Queue) uint64

	Floors FatesFloors
}

// FatesFloors is how many messages have to have been seen.
type FatesFloors struct{ Confirmed, Delivered, Dead, Vanished int64 }

// Name tells the queue, if there is but one.
func (f Fates) Name() string {
	if len(f.Queues) == 1 {
		return "fates-" + f.Queues[0]
	}
	return "fates"
}

// Check is linear in the operations but for sorting.
func (f Fates) Check(run *history.Run) Verdict {
	j := &norn{
		Fates: f, ledger: newLedger(run, f.Workload, f.Queues), v: NewVerdict(f.Name(), f.Workload),
		queues: map[string]*unseen{},
	}
	if run.Drained == 0 {
		j.v.Add(KindUndrained, run.Stopped, "the run ended before the queues were empty")
	}
	for _, m := range j.messages {
		j.one(m)
	}
	for _, name := range slices.Sorted(maps.Keys(j.queues)) {
		j.queue(name, j.queues[name])
	}
	j.v.Saw("confirmed", j.confirmed, f.Floors.Confirmed)
	j.v.Saw("delivered", j.seen, f.Floors.Delivered)
	j.v.Saw("dead", j.deads, f.Floors.Dead)
	j.v.Saw("vanished", j.vanished, f.Floors.Vanished)
	return j.v.Done()
}

// norn is one check under way.
type norn struct {
	Fates
	*ledger
	v      *Verdict
	queues map[string]*unseen

	confirmed, seen, deads, vanished int64
}

// unseen is the messages of a queue of whose end nobody was told.
type unseen struct {
	certain []*history.Op // publishes of those that certainly were in it
	perhaps uint64
}

// one judges a message.
func (j *norn) one(m *message) {
	p, ids := m.publish, idsOf(m.source.deliveries, m.dead.deliveries)
	if p == nil {
		if m.delivered() {
			j.v.Add(KindUnexpected, first(m).Call, "never published: %s", first(m))
		}
		return
	}
	if m.reused {
		j.v.Add(KindReusedKey, p.Call, "%s was published twice", m.key)
	}
	switch p.Outcome {
	case history.Pending:
		j.v.Add(KindUnanswered, p.Call, "%s", p)
	case history.OK:
		j.confirmed++
	}
	if len(ids) > 0 {
		j.delivered(p, first(m), ids)
	}
	j.died(m)
	j.ended(m)
}

// delivered judges what was delivered, first as d.
func (j *norn) delivered(p, d *history.Op, ids []history.Witness) {
	j.seen++
	if len(ids) > 1 {
		j.v.Add(KindDoubled, d.Call, "%s has ids %v", p.Key, ids)
	}
	if p.Outcome == history.Fail {
		j.v.Add(KindGhost, d.Call, "%s was refused (%s), and then: %s", p.Key, p.Code, d)
	}
	if d.Call < p.Call {
		j.v.Add(KindEarly, d.Call, "published at %.3fs: %s", float64(p.Call)/1e9, d)
	}
	if p.Outcome == history.OK && p.At != (history.Witness{}) && ids[0] != p.At {
		j.v.Add(KindIdentity, d.Call, "confirmed as %s, and delivered as %s: %s", p.At, ids[0], d)
	}
}

// died judges the way into the dead-letter queue.
func (j *norn) died(m *message) {
	if len(m.dead.deliveries) == 0 {
		return
	}
	j.deads++
	d := m.dead.deliveries[0]
	if !slices.Contains(j.Deaths, d.Dead) {
		j.v.Add(KindDeadCause, d.Call, "dead by %q: %s", d.Dead, d)
	}
	for _, s := range m.source.deliveries {
		if s.Token > d.Token {
			j.v.Add(KindAfterDead, s.Call, "dead letter at %.3fs: %s", float64(d.Call)/1e9, s)
		}
	}
	for _, s := range m.source.settles {
		if s.Kind == history.Ack && s.Outcome == history.OK {
			j.v.Add(KindTwice, d.Call, "acked at %.3fs: %s", float64(s.Return)/1e9, d)
		}
	}
}

// ended judges that the message came to an end.
func (j *norn) ended(m *message) {
	p := m.publish
	if j.queues[p.Queue] == nil {
		j.queues[p.Queue] = &unseen{}
	}
	q := j.queues[p.Queue]
	switch {
	case p.Outcome == history.Fail || m.finished() || j.run.Drained == 0:
	case j.Vanish != nil && (m.delivered() || p.Outcome != history.OK):
		q.perhaps++
	case j.Vanish != nil:
		q.certain = append(q.certain, p)
	case m.delivered():
		j.v.Add(KindUnsettled, first(m).Call, "%s is gone, and nobody settled it: %s", m.key, first(m))
	case p.Outcome == history.OK:
		j.v.Add(KindLost, p.Call, "%s", p)
	}
}

// queue judges what a queue counts.
func (j *norn) queue(name string, u *unseen) {
	q, known := ending(j.v, j.run, name)
	if !known {
		return
	}
	vanished := uint64(0)
	if j.Vanish != nil {
		vanished = j.Vanish(q)
	}
	j.vanished += int64(vanished)
	for i, p := range u.certain {
		if uint64(i) >= vanished {
			j.v.Add(KindLost, p.Call, "%d of %s were never seen, and it counts %d that are gone: %s", len(u.certain), name, vanished, p)
		}
	}
	if most := uint64(len(u.certain)) + u.perhaps; vanished > most {
		j.v.Add(KindTotals, 0, "%s counts %d messages that are gone, its clients miss %d at the most", name, vanished, most)
	}
	if sum := q.Left() + q.Acked + q.Dead + q.Purged + vanished; sum != q.Published {
		j.v.Add(KindSum, 0, "%s took %d messages and accounts for %d: %+v", name, q.Published, sum, q)
	}
	if d, ok := ending(j.v, j.run, name+deadLetterSuffix); ok && d.Published != q.Dead {
		j.v.Add(KindTotals, 0, "%s: %d died, and its dead-letter queue took %d", name, q.Dead, d.Published)
	}
}
