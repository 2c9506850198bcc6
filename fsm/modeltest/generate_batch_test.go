package modeltest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

// A consumer is kept for the next of a group that it has a message of only after a
// row of events, none of them rare, which together are. So where a history has come
// upon one of them, the generator often goes on with the next: the first of a batch
// is given back; the session of who has begun with the rest is lost, which blames
// it; or what was blamed goes behind the others; a consumer comes that has room for
// both; and the first is settled.
func (g *generator) carryOn(t *rapid.T) Command {
	for _, q := range g.m.queueList() {
		if q.dlq == nil || q.settings.GroupBatch < 2 {
			continue
		}
		for _, l := range q.lines {
			if l.group == "" {
				continue
			}
			if c := g.carryOnIn(t, q, l); c.Command != nil {
				return c
			}
		}
	}
	return Command{}
}

func (g *generator) carryOnIn(t *rapid.T, q *queue, l *line) Command {
	c, plain, suspect := q.holder(l), q.readyIn(l, false), q.readyIn(l, true)
	if c == nil {
		return g.bringTogether(t, q, plain, suspect)
	}
	held := slices.DeleteFunc(q.messagesOf(l), func(x *message) bool { return x.status != leased })
	switch s := c.session; {
	case !s.attached():
	case suspect != nil && suspect.reserved == c:
		if percent(t, "settle the first") < 50 {
			return g.settleOf(t, c, held)
		}
	case plain != nil && plain.place < held[0].place && c.started(held[0]):
		if percent(t, "lose") < 60 {
			return Command{Command: &fsm.Detach{Session: s.id, Epoch: s.epoch, Node: s.node, Cause: fsm.DetachConnection}}
		}
	case len(held) > 1 && percent(t, "give back") < 25:
		return g.giveBack(t, s, held[0])
	}
	return Command{}
}

// bringTogether has one that was blamed go behind one that was not, or both of them
// to a new consumer.
func (g *generator) bringTogether(t *rapid.T, q *queue, plain, suspect *message) Command {
	switch {
	case plain == nil, suspect == nil, q.paused:
	case suspect.place < plain.place:
		if percent(t, "requeue") < 25 {
			it := fsm.AmendItem{Place: suspect.place, Index: suspect.id.Index, Position: suspect.id.Position}
			return Command{Command: &fsm.Amend{OpHeader: g.header(t), Queue: q.name, Action: fsm.AmendRequeue, Items: []fsm.AmendItem{it}}}
		}
	case percent(t, "take both") < 15:
		return Command{Command: &fsm.Consume{OpHeader: g.header(t), Consumer: uint32(pick(t, 1, 4, "consumer")), Queue: q.name}}
	}
	return Command{}
}

// readyIn is the first message of a line that is ready, and blamed for a crash or
// not.
func (q *queue) readyIn(l *line, alone bool) *message {
	for _, msg := range q.messagesOf(l) {
		if msg.status == ready && msg.alone == alone {
			return msg
		}
	}
	return nil
}

func (g *generator) giveBack(t *rapid.T, s *session, msg *message) Command {
	it := fsm.SettleItem{Incarnation: msg.holder.queue.incarnation, Place: msg.place, Token: msg.token,
		Action: fsm.ActionNack, Reason: choose(t, "reason", fsm.ReasonShutdown, fsm.ReasonUnstarted)}
	return Command{Command: &fsm.Settle{OpHeader: g.headerOf(t, s.id), Items: []fsm.SettleItem{it}}}
}

func (g *generator) settleOf(t *rapid.T, c *consumer, held []*message) Command {
	it := g.item(t, c.session)
	g.name(t, &it, held)
	return Command{Command: &fsm.Settle{OpHeader: g.headerOf(t, c.session.id), Items: []fsm.SettleItem{it}}}
}
