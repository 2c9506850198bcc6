package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// operation judges the number of an operation, and the operation itself only
// if its number was never judged before.
func (m *Model) operation(h *fsm.OpHeader, items int, got fsm.Result, judge func() Outcome) Outcome {
	s := m.sessions[h.Session]
	if s == nil {
		return answer(fsm.SessionExpired)
	}
	if h.Epoch != s.epoch {
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	}
	if h.Number == 0 {
		return answer(fsm.Invalid)
	}
	s.answer(h.AnsweredThrough)
	if h.Number <= s.answered {
		return answer(fsm.AlreadyDone)
	}
	if h.Number <= s.judged {
		if first, ok := s.kept[h.Number]; ok {
			return first.repeat()
		}
		return answer(fsm.Overtaken)
	}
	if h.Number > s.answered+fsm.WindowOperations || s.keptItems+items > fsm.WindowItems {
		return busy(fsm.CauseWindow)
	}
	o := m.judge(h, judge)
	o.Index, o.First = m.index, nil
	s = m.sessions[h.Session] // it may be another one by now, see attempt
	s.judged = h.Number
	s.keptItems += items
	s.kept[h.Number] = kept{o, got, items}
	return o
}

// kept is a result that can be asked for again.
type kept struct {
	outcome Outcome
	first   fsm.Result
	items   int // that it counts for in the window
}

func (k kept) repeat() Outcome {
	o := k.outcome
	o.First = &k.first
	return o
}

// judge an operation; one that names its predecessor must find it accepted.
func (m *Model) judge(h *fsm.OpHeader, judge func() Outcome) Outcome {
	if h.Ordered && h.Predecessor != m.sessions[h.Session].ordered {
		return answer(fsm.OutOfOrder)
	}
	o := judge()
	if h.Ordered && o.accepted() {
		m.sessions[h.Session].ordered = h.Number
	}
	return o
}

// accepted: every item was.
func (o Outcome) accepted() bool {
	if o.Items == nil {
		return accepted(o.Code)
	}
	for _, v := range o.Items {
		if !accepted(v.Code) {
			return false
		}
	}
	return true
}

// answer forgets the results that the client will never ask for again.
func (s *session) answer(through uint64) {
	if through <= s.answered {
		return
	}
	s.answered = through
	for number, k := range s.kept {
		if number <= through {
			s.keptItems -= k.items
			delete(s.kept, number)
		}
	}
}
