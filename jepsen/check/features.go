package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Kinds of operations that only some workloads have, and that no other checker
// looks at.
const (
	// Republish is a message that was published before, published by another
	// session under the same message id. Value is 1 if its body was another
	// one. Of one that was answered as a duplicate, Code is CodeDuplicate and
	// At is the first id, as it was told.
	Republish history.Kind = "republish"

	// Ask is a request. It is OK if there was an answer, with CodeWrong if it
	// was not the one to this request, and Code is its outcome otherwise.
	Ask history.Kind = "request"
	// Reply settles a request with its answer.
	Reply history.Kind = "reply"

	// Died is an event: a dead letter tells its attempts, its failures, and as
	// Value how many of its attempts it has forgotten. The others follow, each
	// as an event Attempted with the token of the lease that ended so.
	Died      history.Kind = "died"
	Attempted history.Kind = "attempted"
)

// Codes of operations that are none of a refusal by a node.
const (
	CodeDuplicate = "duplicate"
	CodeDropped   = "dropped" // taken, and dropped by the queue's policy: a publish that failed
	CodeWrong     = "wrong"
)

// idsOf are the ids of deliveries, each once, in their order.
func idsOf(lists ...[]*history.Op) (ids []history.Witness) {
	for _, list := range lists {
		for _, d := range list {
			if !slices.Contains(ids, d.ID) {
				ids = append(ids, d.ID)
			}
		}
	}
	return ids
}

// finished tells whether somebody may have settled a message for good: in the
// dead-letter queue, if it was there.
func (m *message) finished() bool {
	x := &m.source
	if len(m.dead.deliveries) > 0 {
		x = &m.dead
	}
	return slices.ContainsFunc(x.settles, func(s *history.Op) bool { return ends(s) && maybe(s) })
}

// ending is what a queue counts in the end. It has the replicas agree, and the
// queue be empty if it was drained.
func ending(v *Verdict, run *history.Run, queue string) (history.Queue, bool) {
	seen := Conservation{}.replicas(v, run, queue)
	if len(seen) == 0 {
		if len(run.Replicas) > 0 {
			v.Add(KindMissing, 0, "%s is on no replica", queue)
		}
		return history.Queue{}, false
	}
	q := seen[0].Queue
	if q.Left() > 0 && run.Drained != 0 {
		v.Add(KindLeft, run.Drained, "%s was drained and has %d messages: %+v", queue, q.Left(), q)
	}
	return q, true
}
