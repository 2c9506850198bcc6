package witness

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	lockWindow  = 200             // operations of one message that are searched together
	lockTimeout = 2 * time.Second // of one search
)

// Lock judges messages as locks: a delivery takes the lock under a token, a
// settle gives it back, and who holds no newest token holds nothing. It knows
// nothing of the log. Its search is exponential in what overlaps, so it is for
// messages that are given out over and over, to a handful of consumers.
type Lock struct {
	Workload string // whose operations; "": all
	Queue    string // "": all

	// Floors of operations and of windows that were searched to the end.
	Operations, Windows int64

	Window  int           // default 200
	Timeout time.Duration // of one window, default 2 s; one that is late is undecided
}

// Name of the checker.
func (Lock) Name() string { return "lock" }

// Check searches an order of each message's operations.
func (l Lock) Check(run *history.Run) check.Verdict {
	l.Window, l.Timeout = cmp.Or(l.Window, lockWindow), cmp.Or(l.Timeout, lockTimeout)
	v := check.NewVerdict(l.Name(), l.Workload)
	fresh, resumed := lockModel(lock{}), lockModel(lock{any: true})
	var operations, windows, late, widest int64
	for _, m := range l.messages(run) {
		for i, w := range m.windows(l.Window) {
			model := resumed
			if i == 0 {
				model = fresh
			}
			result, info := porcupine.CheckOperationsVerbose(model, w, l.Timeout)
			switch result {
			case porcupine.Unknown:
				late++
				continue
			case porcupine.Illegal:
				v.Add("lock", w[0].Call, "message %s of %s: there is no order in which its %d operations from %.3fs on can have happened",
					m.key, m.queue, len(w), float64(w[0].Call)/1e9)
			}
			operations, windows = operations+int64(len(w)), windows+1
			if first := result == porcupine.Illegal && v.Found["lock"] == 1; first || len(v.Found) == 0 && int64(len(w)) > widest {
				widest = int64(len(w))
				v.Picture = picture(model, info)
			}
		}
	}
	if late > 0 {
		v.Notes["undecided windows"] = late
		v.Undecided(fmt.Sprintf("%d of %d windows were not searched in %s", late, windows+late, l.Timeout))
	}
	v.Saw("operations", operations, l.Operations)
	v.Saw("windows", windows, l.Windows)
	return v.Done()
}

// picture is a page of its own.
func picture(model porcupine.Model, info porcupine.LinearizationInfo) string {
	var page bytes.Buffer
	if err := porcupine.Visualize(model, info, &page); err != nil {
		return fmt.Sprintf("<p>no picture: %v</p>", err)
	}
	return page.String()
}

// locking is one operation on a lock.
type locking struct {
	kind  history.Kind
	token uint64
	ends  bool // by then the lease before may have ended by itself
}

// locked is what was told, or that nobody knows.
type locked uint8

const (
	done locked = iota
	lostLease
	perhaps // it happened or did not
)

// lock is the state of one message.
type lock struct {
	any   bool // the window begins in the middle
	token uint64
	held  bool
	over  bool // acked or rejected
}

func (s lock) String() string {
	switch {
	case s.any:
		return "anything"
	case s.over:
		return "done"
	case s.held:
		return fmt.Sprintf("held under %d", s.token)
	}
	return fmt.Sprintf("free after %d", s.token)
}

func lockModel(begin lock) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{begin} },
		Step: func(state, input, output any) []any {
			s, in, out := state.(lock), input.(locking), output.(locked)
			var next []any
			if out == perhaps {
				next = append(next, s)
			}
			if t, ok := s.step(in, out); ok {
				next = append(next, t)
			}
			return next
		},
		Hash: func(state any) uint64 {
			s := state.(lock)
			h := s.token << 3
			for i, b := range []bool{s.any, s.held, s.over} {
				if b {
					h |= 1 << i
				}
			}
			return h
		},
		DescribeOperation: func(input, output any) string {
			in := input.(locking)
			return fmt.Sprintf("%s %d%s", in.kind, in.token, [...]string{"", ": lease lost", ": unknown"}[output.(locked)])
		},
		DescribeState: func(state any) string { return state.(lock).String() },
	}
	return m.ToModel()
}

// step is what an operation makes of the lock, if it can happen. That a lease
// ends by itself is no operation: it is seen only by the next holder, or by a
// settle that is refused.
func (s lock) step(in locking, out locked) (lock, bool) {
	holds := s.any || s.held && s.token == in.token
	switch {
	case in.kind == history.Deliver:
		return lock{token: in.token, held: true}, s.any || !s.over && in.token > s.token && (!s.held || in.ends)
	case out == lostLease && (s.any || !s.held || s.token != in.token):
		return s, true
	case out == lostLease:
		return lock{token: s.token}, in.ends
	case in.kind == history.Extend:
		return lock{token: in.token, held: true}, holds
	}
	return lock{token: in.token, over: in.kind != history.Nack}, holds
}
