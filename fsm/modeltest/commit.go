package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// commit settles and publishes: all of it, or nothing. What is settled makes
// room for what is published; what is given back finds its place after that.
func (m *Model) commit(x *fsm.Commit, c Command, got fsm.Result) (o Outcome) {
	switch n := commitItems(x); {
	case n == 0:
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
	parts, o := m.parts(x, c)
	if o.Code != fsm.OK {
		return o
	}
	m.settleThose(s, x.Settles, fsm.ActionAck, fsm.ActionExtend)
	m.keepLines()
	position := got.Position
	for i, p := range parts {
		part := m.arriveAll(p.to, p.drafts, position)
		o.Items, o.Value = append(o.Items, part.Items...), o.Value+part.Value
		position += uint32(len(p.drafts))
		if !o.accepted() {
			parts[i].drafts = p.drafts[len(part.Items)-1:]
			return m.whole(o, parts[i:])
		}
	}
	m.settleThose(s, x.Settles, fsm.ActionNack, fsm.ActionReject)
	return o
}

func (m *Model) settleThose(s *session, items []fsm.SettleItem, actions ...fsm.Action) {
	for _, it := range items {
		if slices.Contains(actions, it.Action) {
			held, _ := m.judgeSettle(s, it)
			m.settleOne(held, it)
		}
	}
}

// part of a commit is what it publishes to one target.
type part struct {
	to     target
	drafts []Draft
}

// parts of a commit, or what is wrong with any of them.
func (m *Model) parts(x *fsm.Commit, c Command) (all []part, o Outcome) {
	rest, bytes, spread := c.Drafts, uint64(0), 0
	for i, p := range x.Publishes {
		to, code := m.target(p.Queue)
		switch {
		case code != fsm.OK:
			return nil, answer(code)
		case p.Count == 0, c.Broken && i == len(x.Publishes)-1:
			return nil, answer(fsm.Invalid)
		}
		all = append(all, part{to, rest[:p.Count]})
		bytes += m.total(to, rest[:p.Count])
		spread += m.spread(to, rest[:p.Count])
		rest = rest[p.Count:]
	}
	if bytes > fsm.MaxOperationBytes {
		return nil, answer(fsm.TooLarge)
	}
	if !affords(&m.toil.fanOut, spread, m.bounds.FanOut) {
		return nil, busy(fsm.CauseEntry)
	}
	for _, p := range all {
		if o := m.faults(p.to, p.drafts); !o.accepted() {
			return nil, o
		}
	}
	return all, answer(fsm.OK)
}
