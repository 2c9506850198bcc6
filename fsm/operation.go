package fsm

import (
	"slices"
	"sort"
)

// kept is the result of a judged operation, until its client says that it
// will not ask again.
type kept struct {
	number   uint64
	index    uint64
	value    uint64
	position uint32
	retry    uint32
	items    uint32 // messages or settles it counts for in the window
	code     Code
	cause    Cause
	detail   string
	verdicts []Verdict
}

func (k *kept) result() Result {
	return Result{Code: k.code, Cause: k.cause, RetryAfterMillis: k.retry, Index: k.index,
		Position: k.position, Value: k.value, Detail: k.detail, Items: k.verdicts}
}

// admit decides whether an operation is to be judged now. If not, the result
// says why: answered already, judged already, or not to be judged yet.
func (s *State) admit(h *OpHeader, items int) (x *session, r Result) {
	x, r = s.sessionAt(h.Session, h.Epoch)
	if x == nil {
		return nil, r
	}
	if h.Number == 0 {
		return nil, Result{Code: Invalid, Detail: "operation number is 0"}
	}
	x.answeredThrough(h.AnsweredThrough)
	switch {
	case h.Number <= x.answered:
		return nil, Result{Code: AlreadyDone}
	case h.Number <= x.judged:
		if k := x.keptAt(h.Number); k != nil {
			return nil, k.result()
		}
		return nil, Result{Code: Overtaken}
	case h.Number-x.answered > WindowOperations || x.keptItems+items > WindowItems:
		return nil, Result{Code: Busy, Cause: CauseWindow, RetryAfterMillis: RetryWindowMillis}
	}
	s.work.by = doer{x.id, x.node}
	return x, Result{}
}

// answeredThrough forgets the results that the client will not ask for.
func (x *session) answeredThrough(n uint64) {
	if n <= x.answered {
		return
	}
	x.answered = n
	for len(x.kept) > 0 && x.kept[0].number <= n {
		x.keptItems -= int(x.kept[0].items)
		x.kept = x.kept[1:]
	}
	if len(x.kept) == 0 {
		x.kept = nil
	}
}

func (x *session) keptAt(number uint64) *kept {
	i := sort.Search(len(x.kept), func(i int) bool { return x.kept[i].number >= number })
	if i < len(x.kept) && x.kept[i].number == number {
		return &x.kept[i]
	}
	return nil
}

// inOrder tells whether an operation that names its predecessor comes right
// after the last accepted one that named one.
func (x *session) inOrder(h *OpHeader) bool { return !h.Ordered || h.Predecessor == x.lastOrdered }

// keep makes a result final.
func (s *State) keep(x *session, h *OpHeader, items int, r Result) Result {
	x.judged = h.Number
	if h.Ordered && r.accepted() {
		x.lastOrdered = h.Number
	}
	x.keptItems += items
	x.kept = append(x.kept, kept{
		number: h.Number, index: r.Index, value: r.Value, position: r.Position, retry: r.RetryAfterMillis,
		items: uint32(items), code: r.Code, cause: r.Cause, detail: r.Detail, verdicts: r.Items,
	})
	return r
}

func (r *Result) accepted() bool {
	for _, v := range r.Items {
		if !v.Code.accepted() {
			return false
		}
	}
	return r.Code.accepted()
}

// accepted tells that nothing is left to do: a repeat, and what is dropped by
// the queue's policy, count.
func (c Code) accepted() bool { return c == OK || c == Duplicate || c == Dropped }

// at stamps where a command took effect; it takes n positions of the entry.
func (s *State) at(r Result, n int) Result {
	r.Index, r.Position = s.index, s.work.position
	s.work.position += uint32(max(n, 1))
	return r
}

// verdict makes the result of an operation from those of its items: one code
// if all agree, else OK with the items.
func verdict(items []Verdict, detail string) Result {
	r := Result{Detail: detail}
	for _, v := range items {
		if v != items[0] || v.FirstIndex != 0 { // which only an item has room for
			r.Items = slices.Clone(items)
			return r
		}
	}
	r.Code, r.Cause, r.RetryAfterMillis = items[0].Code, items[0].Cause, items[0].RetryAfterMillis
	return r
}

// simple runs an operation without items.
func (s *State) simple(h *OpHeader, judge func(x *session) Result) Result {
	x, r := s.admit(h, 0)
	if x == nil {
		return r
	}
	if r = (Result{Code: OutOfOrder}); x.inOrder(h) {
		r = judge(x)
	}
	return s.keep(x, h, 0, s.at(r, 1))
}
