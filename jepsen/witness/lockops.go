package witness

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// exclusive is the operations on one message, by their calls.
type exclusive struct {
	queue  string
	key    history.Key
	ops    []porcupine.Operation
	grants []*history.Op // by token

	soonest []int64 // of each grant: not before this
}

// graceMin is the least time after which a session that is away loses leases.
const graceMin = graceMillis * int64(time.Millisecond)

// lockings is what a run tells of locks.
type lockings struct {
	published map[history.Key]int64
	gone      map[uint32]int64       // when a client ended first
	last      map[uint32]*history.Op // a consumer's last delivery, of whatever message
}

func newLockings(run *history.Run) *lockings {
	x := &lockings{map[history.Key]int64{}, map[uint32]int64{}, map[uint32]*history.Op{}}
	for i := range run.Ops {
		switch o := &run.Ops[i]; o.Kind {
		case history.Publish:
			x.published[o.Key] = o.Call
		case history.Gone:
			x.gone[o.Client] = cmp.Or(x.gone[o.Client], o.Call)
		case history.Deliver:
			x.last[o.Consumer] = o
		}
	}
	return x
}

// messages are the locks of a run.
func (l Lock) messages(run *history.Run) []*exclusive {
	type name struct {
		queue string
		key   history.Key
	}
	x, all := newLockings(run), map[name]*exclusive{}
	var order []*exclusive
	for i := range run.Ops {
		o := &run.Ops[i]
		if l.Workload != "" && o.Workload != l.Workload || l.Queue != "" && o.Queue != l.Queue || o.Token == 0 {
			continue
		}
		op, counts := x.operation(o)
		if !counts {
			continue
		}
		n := name{o.Queue, o.Key}
		m := all[n]
		if m == nil {
			m = &exclusive{queue: o.Queue, key: o.Key}
			all[n] = m
			order = append(order, m)
		}
		if m.ops = append(m.ops, op); o.Kind == history.Deliver {
			m.grants = append(m.grants, o)
		}
	}
	for _, m := range order {
		m.complete(x)
	}
	return order
}

// operation is an operation for the search. What a client was told before
// anything reached the log says nothing about the lock.
func (x *lockings) operation(o *history.Op) (op porcupine.Operation, counts bool) {
	in, out, end := locking{kind: o.Kind, token: o.Token}, done, o.Return
	switch o.Kind {
	case history.Deliver:
	case history.Ack, history.Nack, history.Reject, history.Extend:
		switch {
		case o.Outcome == history.OK:
		case o.Outcome == history.Fail && o.Code == codeLeaseLost:
			out, in.ends = lostLease, endsAnyTime(o.Cause)
		case o.Outcome == history.Fail:
			return op, false
		default:
			out, end = perhaps, math.MaxInt64
		}
	default:
		return op, false
	}
	return porcupine.Operation{ClientId: int(o.Consumer), Input: in, Output: out, Call: o.Call, Return: end}, true
}

// endsAnyTime tells of causes that no time has to pass for.
func endsAnyTime(cause string) bool {
	return cause == causeSettled || cause == causeSessionEnded || cause == causeQueueGone
}

// leaseSlack is how much sooner than after its length a lease may seem to end:
// clocks in the log are in milliseconds, and deadlines rounded.
const leaseSlack = int64(50 * time.Millisecond)

// lengthOf is after what time, at the soonest, a lease ends without a settle:
// it ran out, or its session was away for too long.
func lengthOf(grant *history.Op) int64 {
	lease := cmp.Or(int64(grant.Value), leaseDefault) * int64(time.Millisecond)
	return min(lease, graceMin) - leaseSlack
}

// left tells whether whoever held the lease had gone by then, or perhaps had:
// that gives it back.
func (x *lockings) left(grant *history.Op, by int64) bool {
	if x.last[grant.Consumer] == grant {
		return true
	}
	gone := x.gone[grant.Client]
	return gone != 0 && gone <= by
}

// mayEnd tells whether the n-th lease seen may have ended without a settle by then.
func (m *exclusive) mayEnd(x *lockings, n int, by int64) bool {
	return n < 0 || x.left(m.grants[n], by) || by-m.soonest[n] >= lengthOf(m.grants[n])
}

// bound tells of each lease when it was granted at the soonest. A handler may
// have been told of it much later: after the one before had been settled, or
// had ended without.
func (m *exclusive) bound(x *lockings) {
	settled := map[uint64]int64{} // when a settle that took effect, or perhaps did, was first called
	taken := map[uint64]bool{}    // ended by what needs no time, as a refusal says
	for _, op := range m.ops {
		in := op.Input.(locking)
		taken[in.token] = taken[in.token] || in.ends
		if ends := in.kind != history.Deliver && in.kind != history.Extend && op.Output != lostLease; ends {
			if at, some := settled[in.token]; !some || op.Call < at {
				settled[in.token] = op.Call
			}
		}
	}
	m.soonest = make([]int64, len(m.grants))
	for n := range m.grants {
		if n == 0 {
			m.soonest[n] = x.published[m.key]
			continue
		}
		before := m.grants[n-1]
		at, some := settled[before.Token]
		ranOut := m.soonest[n-1]
		if !taken[before.Token] && !x.left(before, m.grants[n].Call) {
			ranOut += lengthOf(before)
		}
		if m.soonest[n] = ranOut; some && at < ranOut {
			m.soonest[n] = max(at, m.soonest[n-1])
		}
	}
}

// complete knows all operations, and bounds by each other when they can have
// happened.
func (m *exclusive) complete(x *lockings) {
	slices.SortFunc(m.grants, func(a, b *history.Op) int { return cmp.Compare(a.Token, b.Token) })
	m.bound(x)
	after := m.accepted()
	kept := m.ops[:0]
	for _, op := range m.ops {
		in := op.Input.(locking)
		n, seen := slices.BinarySearchFunc(m.grants, in.token, func(g *history.Op, t uint64) int { return cmp.Compare(g.Token, t) })
		switch {
		case in.kind == history.Deliver:
			in.ends = m.mayEnd(x, n-1, op.Return)
			op.Input = in
			// The handler may be told of it long after: it was busy with the
			// lease before, or the news was late.
			op.Call = min(max(m.soonest[n], after[n]), op.Return)
		case op.Output == lostLease:
			in.ends = in.ends || !seen || m.mayEnd(x, n, op.Return)
			op.Input = in
		}
		if op.Return == math.MaxInt64 && !m.settleBy(&op) {
			continue
		}
		kept = append(kept, op)
	}
	m.ops = kept
	slices.SortStableFunc(m.ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
}

// accepted tells of each lease when something that was accepted under an older
// one was called last: it was granted after that.
func (m *exclusive) accepted() []int64 {
	calls := make([]int64, len(m.grants)+1)
	for _, op := range m.ops {
		in := op.Input.(locking)
		if in.kind == history.Deliver || op.Output != done {
			continue
		}
		n, seen := slices.BinarySearchFunc(m.grants, in.token, func(g *history.Op, t uint64) int { return cmp.Compare(g.Token, t) })
		if seen {
			n++ // the first lease that is newer
		}
		calls[n] = max(calls[n], op.Call)
	}
	for n := 1; n < len(calls); n++ {
		calls[n] = max(calls[n], calls[n-1])
	}
	return calls
}

// settleBy bounds a settle of unknown outcome: once a higher token was seen, it
// has no effect any more. It is false for one that was called so late.
func (m *exclusive) settleBy(op *porcupine.Operation) bool {
	token := op.Input.(locking).token
	for _, g := range m.grants {
		if g.Token > token {
			op.Return = min(op.Return, g.Call)
		}
	}
	return op.Call <= op.Return
}

// windows cuts the operations into parts that can be searched. What crosses a
// cut may have happened on the other side of it.
func (m *exclusive) windows(size int) (all [][]porcupine.Operation) {
	for from := 0; from < len(m.ops); from += size {
		begin, end := int64(math.MinInt64), int64(math.MaxInt64)
		if from > 0 {
			begin = m.ops[from].Call
		}
		if from+size < len(m.ops) {
			end = m.ops[from+size].Call
		}
		var w []porcupine.Operation
		for _, o := range m.ops[:min(from+size, len(m.ops))] {
			if o.Return < begin {
				continue
			}
			if o.Call < begin {
				o.Call, o.Output = begin, perhaps
			}
			if o.Return >= end {
				o.Output, o.Return = perhaps, math.MaxInt64
			}
			w = append(w, o)
		}
		all = append(all, numbered(w))
	}
	return all
}

// numbered gives clients numbers from 0 on, as the picture wants them, and
// operations that overlap in one client another row.
func numbered(w []porcupine.Operation) []porcupine.Operation {
	type row struct {
		client int
		busy   int64
	}
	var rows []row
	for i := range w {
		at := slices.IndexFunc(rows, func(r row) bool { return r.client == w[i].ClientId && r.busy < w[i].Call })
		if at < 0 {
			rows = append(rows, row{client: w[i].ClientId})
			at = len(rows) - 1
		}
		rows[at].busy = w[i].Return
		w[i].ClientId = at
	}
	return w
}
