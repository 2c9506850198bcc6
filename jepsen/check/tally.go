package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// tallied is what clients know of a queue: of each count, the least and the
// most that it can be.
type tallied struct {
	published, acked, rejected, purged bounds
	made, deleted                      bool // something certainly was in it; it may have been deleted
}

type bounds struct{ least, most uint64 }

// add counts one thing that may have happened, or certainly has.
func (b *bounds) add(n uint64, certain bool) {
	b.most += n
	if certain {
		b.least += n
	}
}

// tally counts by queue. Every number is of distinct messages: two settles of
// unknown outcome end one message.
func tally(l *ledger) map[string]*tallied {
	all := map[string]*tallied{}
	of := func(queue string) *tallied {
		t := all[queue]
		if t == nil {
			t = &tallied{}
			all[queue] = t
		}
		return t
	}
	for _, m := range l.messages {
		if p := m.publish; p != nil && p.Outcome != history.Fail {
			t := of(p.Queue)
			certain := p.Outcome == history.OK || m.delivered()
			t.published.add(1, certain)
			t.made = t.made || certain
		}
		for _, x := range []*life{&m.source, &m.dead} {
			x.tally(of)
		}
	}
	for _, queue := range slices.Collect(maps.Keys(all)) {
		if !isDeadLetters(queue) {
			of(queue + deadLetterSuffix)
		}
	}
	for _, o := range l.ops {
		switch o.Kind {
		case history.Purge:
			purged(of(o.Queue), o)
		case history.Delete:
			if maybe(o) {
				of(strings.TrimSuffix(o.Queue, deadLetterSuffix)).deleted = true
				of(o.Queue + deadLetterSuffix).deleted = true
			}
		}
	}
	return all
}

// purged: one whose outcome is unknown may have taken everything.
func purged(t *tallied, o *history.Op) {
	switch o.Outcome {
	case history.OK:
		t.purged.add(o.Value, true)
	case history.Unknown, history.Pending:
		t.purged.most = forever
	}
}

// tally counts how a message ended in one queue, at most once each way.
func (x *life) tally(of func(string) *tallied) {
	var acked, rejected history.Outcome
	queue := ""
	for _, d := range x.deliveries {
		queue = d.Queue
		if d.Token == 0 {
			acked = history.OK // assigned, and so gone
		}
	}
	for _, s := range x.settles {
		queue = s.Queue
		switch s.Kind {
		case history.Ack:
			acked = stronger(acked, s.Outcome)
		case history.Reject:
			rejected = stronger(rejected, s.Outcome)
		}
	}
	if queue == "" {
		return
	}
	t := of(queue)
	if acked != history.Pending {
		t.acked.add(1, acked == history.OK)
	}
	if rejected != history.Pending {
		t.rejected.add(1, rejected == history.OK)
	}
}

// stronger of two outcomes of settles of one kind: ok, then unknown, then none.
func stronger(a, b history.Outcome) history.Outcome {
	switch {
	case a == history.OK || b == history.OK:
		return history.OK
	case a == history.Unknown || b == history.Unknown || b == history.Pending:
		return history.Unknown
	}
	return a
}

func isDeadLetters(queue string) bool { return strings.HasSuffix(queue, deadLetterSuffix) }
