package check

import (
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Conservation judges what each replica counts in the end: every message that
// a queue took is in it or left it in one of three ways, all replicas say the
// same, nothing is left after the drain, and the numbers are those that the
// clients know of.
type Conservation struct {
	Workload string
	Queues   []string // none: all that the workload names
	Churn    bool     // queues are deleted and made again: their counts begin anew

	Floors ConservationFloors
}

// ConservationFloors is how much has to have been compared.
type ConservationFloors struct {
	Replicas  int64
	Queues    int64 // on all replicas together
	Published int64 // of all queues, dead-letter queues not counted, on one replica
}

func (c Conservation) Name() string { return "conservation" }

// Check is linear in the operations.
func (c Conservation) Check(run *history.Run) Verdict {
	v := NewVerdict(c.Name(), c.Workload)
	tallies := tally(newLedger(run, c.Workload, c.Queues))
	queues, published := int64(0), int64(0)
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		seen := c.replicas(v, run, name)
		queues += int64(len(seen))
		if len(seen) == 0 {
			if !tallies[name].deleted && tallies[name].made {
				v.Add(KindMissing, 0, "%s is on no replica", name)
			}
			continue
		}
		for _, q := range seen {
			c.queue(v, run, q)
		}
		q := seen[0].Queue
		if !isDeadLetters(name) {
			published += int64(q.Published)
		}
		c.totals(v, tallies[name], q)
		c.deadLetters(v, run, seen[0])
	}
	v.Saw("replicas", int64(len(run.Replicas)), c.Floors.Replicas)
	v.Saw("queues", queues, c.Floors.Queues)
	v.Saw("published", published, c.Floors.Published)
	return v.Done()
}

func queueOf(r *history.Replica, name string) (history.Queue, bool) {
	i := slices.IndexFunc(r.Queues, func(q history.Queue) bool { return q.Name == name })
	if i < 0 {
		return history.Queue{}, false
	}
	return r.Queues[i], true
}

// counted is a queue as one replica has it.
type counted struct {
	history.Queue
	node string
}

// replicas finds a queue on every replica, and has them agree.
func (c Conservation) replicas(v *Verdict, run *history.Run, name string) (seen []counted) {
	for i := range run.Replicas {
		r := &run.Replicas[i]
		if q, ok := queueOf(r, name); ok {
			seen = append(seen, counted{q, r.Node})
		}
	}
	if len(seen) > 0 && len(seen) < len(run.Replicas) {
		v.Add(KindDiffer, 0, "%s is on %d of %d replicas", name, len(seen), len(run.Replicas))
	}
	for _, q := range seen[min(1, len(seen)):] {
		if q.Queue != seen[0].Queue {
			v.Add(KindDiffer, 0, "%s: %s has %+v, %s has %+v", name, seen[0].node, seen[0].Queue, q.node, q.Queue)
		}
	}
	return seen
}

// queue judges one replica's counts by themselves.
func (c Conservation) queue(v *Verdict, run *history.Run, q counted) {
	if sum := q.Ready + q.Leased + q.Parked + q.Acked + q.Dead + q.Purged; sum != q.Published {
		v.Add(KindSum, 0, "%s on %s took %d messages and accounts for %d: %+v", q.Name, q.node, q.Published, sum, q.Queue)
	}
	if left := q.Ready + q.Leased + q.Parked; left > 0 && run.Drained != 0 {
		v.Add(KindLeft, run.Drained, "%s on %s was drained and has %d messages: %+v", q.Name, q.node, left, q.Queue)
	}
}

// deadLetters: what died in a queue is what its dead-letter queue took.
func (c Conservation) deadLetters(v *Verdict, run *history.Run, q counted) {
	if isDeadLetters(q.Name) {
		return
	}
	for i := range run.Replicas {
		if run.Replicas[i].Node != q.node {
			continue
		}
		d, ok := queueOf(&run.Replicas[i], q.Name+deadLetterSuffix)
		if ok && d.Published != q.Dead {
			v.Add(KindTotals, 0, "%s on %s: %d died, and its dead-letter queue took %d", q.Name, q.node, q.Dead, d.Published)
		}
	}
}

// totals compares a queue's counts with what clients know. Of a queue that was
// deleted in between, only the upper bounds hold: it began anew.
func (c Conservation) totals(v *Verdict, t *tallied, q history.Queue) {
	anew := t.deleted || c.Churn
	within := func(what string, n, least, most uint64) {
		if n > most || n < least && !anew {
			v.Add(KindTotals, 0, "%s %s %d messages, its clients know of %d to %d", q.Name, what, n, least, most)
		}
	}
	if isDeadLetters(q.Name) {
		within("dropped", q.Dead, t.rejected.least, t.rejected.most)
	} else {
		within("took", q.Published, t.published.least, t.published.most)
		within("dead-lettered", q.Dead, t.rejected.least, forever)
	}
	within("acked", q.Acked, t.acked.least, t.acked.most)
	within("purged", q.Purged, t.purged.least, t.purged.most)
}
