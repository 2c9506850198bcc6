package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// commit settles and publishes: all of it, or nothing. What is settled makes
// room for what is published; what dies of it finds its place after that.
func (m *Model) commit(x *fsm.Commit, c Command, got fsm.Result) (o Outcome) {
	switch n := commitItems(x); {
	case len(x.Settles) == 0 && len(x.Publishes) == 0:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	}
	m.attempt(func() bool {
		o = m.settleAndPublish(x, c, got)
		return o.accepted()
	})
	return o
}

// commitItems is how many settles and messages there are.
func commitItems(x *fsm.Commit) int {
	n := len(x.Settles)
	for _, p := range x.Publishes {
		n += int(p.Count)
	}
	return n
}

func (m *Model) settleAndPublish(x *fsm.Commit, c Command, got fsm.Result) (o Outcome) {
	s := m.sessions[x.Session]
	if v := m.firstRefused(s, x.Settles); v.Code != fsm.OK {
		return Outcome{Code: v.Code, Cause: v.Cause}
	}
	m.laterDeaths = true
	for _, it := range x.Settles {
		held, _ := m.judgeSettle(s, it)
		m.settleOne(held, it)
	}
	m.laterDeaths = false
	position, rest, bytes := got.Position, c.Drafts, uint64(0)
	for _, p := range x.Publishes {
		to, code := m.target(p.Queue)
		switch {
		case code != fsm.OK:
			return answer(code)
		case p.Count == 0, c.Broken:
			return answer(fsm.Invalid)
		}
		drafts := rest[:p.Count]
		rest = rest[p.Count:]
		if bytes += m.total(drafts); bytes > fsm.MaxOperationBytes {
			return answer(fsm.TooLarge)
		}
		part := m.arriveAll(to, drafts, position)
		if !part.accepted() {
			return part.firstRefusal()
		}
		o.Items, o.Value = append(o.Items, part.Items...), o.Value+part.Value
		position += p.Count
	}
	for _, q := range m.queueList() {
		for _, msg := range m.dying[q] {
			m.entomb(q, msg)
		}
	}
	m.dying = map[*queue][]*message{}
	return o
}
