package modeltest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) settle(t *rapid.T) Command {
	x := &fsm.Settle{OpHeader: g.header(t)}
	n := pick(t, 1, 4, "settles")
	switch chance := bits(t, "many", 10); {
	case chance < 8:
		n = fsm.MaxItems
	case chance < 10:
		n = fsm.MaxItems + 1
	case chance < 20:
		n = 0
	}
	if n >= fsm.MaxItems {
		x.Items = make([]fsm.SettleItem, n) // all of them wrong
		return Command{Command: x}
	}
	for range n {
		x.Items = append(x.Items, g.item(t, g.m.sessions[x.Session]))
	}
	return Command{Command: x}
}

// item settles, mostly, something that the session holds.
func (g *generator) item(t *rapid.T, s *session) fsm.SettleItem {
	it := fsm.SettleItem{
		Action: choose(t, "action", fsm.ActionAck, fsm.ActionAck, fsm.ActionNack, fsm.ActionReject, fsm.ActionExtend),
		Reason: choose(t, "reason", fsm.ReasonMessage, fsm.ReasonMessage, fsm.ReasonDownstream, fsm.ReasonShutdown, fsm.ReasonUnstarted),
		Error:  choose(t, "error", "", "no", fmt.Sprintf("%01100d", 0)),
	}
	switch chance := percent(t, "delivery"); {
	case chance < 80:
		g.name(t, &it, g.held(s))
	case chance < 90:
		g.name(t, &it, g.held(nil))
	case chance < 96 && len(g.stale) > 0:
		old := choose(t, "stale", g.stale...)
		it.Incarnation, it.Place, it.Token = old.Incarnation, old.Place, old.Token
	default:
		it.Incarnation, it.Place, it.Token = uint64(pick(t, 0, 9, "incarnation")), uint64(pick(t, 0, 9, "place")), uint64(pick(t, 0, 9, "token"))
	}
	if percent(t, "delayed") < 20 {
		it.DelayMillis = uint32(choose(t, "delay", 1, 100, 3000, 60_000))
	}
	switch percent(t, "fault") {
	case 0:
		it.Action = choose(t, "action", 0, fsm.ActionExtend+1)
	case 1:
		it.Reason = choose(t, "reason", 0, fsm.ReasonUnstarted+1)
	case 2:
		it.DelayMillis = fsm.MaxRetryMillis + 1
	}
	return it
}

// name lets an item name one of the messages.
func (g *generator) name(t *rapid.T, it *fsm.SettleItem, all []*message) {
	if len(all) == 0 {
		return
	}
	msg := choose(t, "held", all...)
	it.Incarnation, it.Place, it.Token = msg.holder.queue.incarnation, msg.place, msg.token
	switch b := msg.holder.queue.breaker; { // or it would seldom trip, and seldom close again
	case msg.probe != 0 && percent(t, "good") < 70:
		it.Action = fsm.ActionAck
	case b != nil && b.state == fsm.BreakerClosed && percent(t, "bad") < 40:
		it.Action, it.Reason = fsm.ActionNack, fsm.ReasonDownstream
	}
	g.stale = append(g.stale, *it)
	g.stale = g.stale[max(0, len(g.stale)-staleMax):]
}

// held lists what a session holds; nil: all of them.
func (g *generator) held(s *session) (all []*message) {
	sessions := []*session{s}
	if s == nil {
		sessions = g.m.sessionList()
	}
	for _, s := range sessions {
		for _, c := range s.consumerList() {
			all = append(all, c.held...)
		}
	}
	return all
}
