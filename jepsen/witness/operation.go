package witness

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	windowOperations = 1024
	windowItems      = 16384
	itemsMax         = 1000
)

// kept is the result of an operation whose answer its client may ask for again.
type kept struct {
	number uint64
	result result
	items  int
}

// admit tells whether an operation is to be judged now. Its number decides,
// and the epoch it comes in.
func (m *model) admit(c *history.Command, items int) (*session, result) {
	x := m.sessions[c.Session]
	switch {
	case x == nil:
		return nil, refuse(codeSessionExpired)
	case c.Epoch != x.epoch:
		return nil, refuse(codeFenced)
	case c.Number == 0:
		return nil, refuse(codeInvalid)
	}
	x.answer(c.AnsweredThrough)
	switch {
	case c.Number <= x.answered:
		return nil, refuse(codeAlreadyDone)
	case c.Number <= x.judged:
		i, found := slices.BinarySearchFunc(x.kept, c.Number, byNumber)
		if found {
			return nil, x.kept[i].result
		}
		return nil, refuse(codeOvertaken)
	case c.Number > x.answered+windowOperations, x.keptItems+items > windowItems:
		return nil, refuseFor(codeBusy, causeWindow)
	}
	return x, result{}
}

func byNumber(k kept, n uint64) int {
	switch {
	case k.number < n:
		return -1
	case k.number > n:
		return 1
	}
	return 0
}

// answer forgets what the client will not ask for.
func (x *session) answer(through uint64) {
	if through <= x.answered {
		return
	}
	x.answered = through
	n := 0
	for n < len(x.kept) && x.kept[n].number <= through {
		x.keptItems -= x.kept[n].items
		n++
	}
	x.kept = x.kept[n:]
}

// operation judges a numbered command, once.
func (m *model) operation(c *history.Command, items int, judge func(*session, *history.Command) (result, int)) {
	items = min(items, itemsMax)
	x, _ := m.admit(c, items)
	if x == nil {
		return
	}
	r, span := refuse(codeOutOfOrder), 1
	if !c.Ordered || c.Predecessor == x.lastOrdered {
		r, span = judge(x, c)
	}
	span = max(span, 1)
	r.index, r.base = m.index, m.position
	m.judged = append(m.judged, judged{c, m.position, uint32(span), r})
	m.position += uint32(span)
	x.judged = c.Number
	if c.Ordered && r.ok() && r.items == nil {
		x.lastOrdered = c.Number
	}
	x.keptItems += items
	x.kept = append(x.kept, kept{c.Number, r, items})
}

// combine makes one result of the verdicts on each message or settle.
func combine(all []verdict) result {
	for _, v := range all[1:] {
		if v != all[0] {
			return result{verdict: verdict{code: codeOK}, items: all}
		}
	}
	return result{verdict: all[0]}
}
