package fsm

import (
	"fmt"
	"strings"
)

// commit settles and publishes, all of it or nothing. It is judged before
// anything is done: then its acks are done first, which makes room, and its
// extends; then its publishes; then its nacks and rejects, so that what they
// send to a dead-letter queue takes no room from the publishes.
func (s *State) commit(c *Commit, recordsAt []int, entry []byte) Result {
	messages := 0
	for i := range c.Publishes {
		messages += int(min(c.Publishes[i].Count, MaxItems+1))
	}
	items := min(messages+len(c.Settles), MaxItems)
	x, r := s.admit(&c.OpHeader, items)
	if x == nil {
		return r
	}
	switch {
	case !x.inOrder(&c.OpHeader):
		r = Result{Code: OutOfOrder}
	case messages+len(c.Settles) == 0:
		r = Result{Code: Invalid, Detail: "nothing to settle or publish"}
	case messages+len(c.Settles) > MaxItems:
		r = Result{Code: TooLarge, Detail: "more than 1000 settles and messages"}
	default:
		r = s.judgeCommit(x, c, recordsAt, entry)
	}
	if r.Code != OK {
		return s.keep(x, &c.OpHeader, items, s.at(r, 1))
	}
	s.settleThose(c.Settles, false)
	if messages > 0 {
		r = s.storeEach(entry)
	}
	s.settleThose(c.Settles, true)
	return s.keep(x, &c.OpHeader, items, s.at(r, messages))
}

// settleThose carries out the settles that give a message back, or the others.
func (s *State) settleThose(items []SettleItem, back bool) {
	for i := range items {
		if it := &items[i]; (it.Action == ActionNack || it.Action == ActionReject) == back {
			s.settleOne(s.queue(it.Incarnation), it)
		}
	}
}

func (s *State) judgeCommit(x *session, c *Commit, recordsAt []int, entry []byte) Result {
	if at, r := s.judgeAll(x, c.Settles); r.Code != OK {
		r.Detail = fmt.Sprintf("settle %d", at)
		return r
	}
	s.clearIntake()
	sum := 0
	for i := range c.Publishes {
		p := &c.Publishes[i]
		r := s.aim(p.Queue)
		if r.Code == OK && p.Count == 0 {
			r = Result{Code: Invalid, Detail: "no messages"}
		}
		if r.Code == OK {
			var n int
			n, r = s.examine(p.Count, p.Records, recordsAt[i])
			sum += n
		}
		if r.Code != OK {
			r.Detail = strings.TrimSuffix(fmt.Sprintf("publish %d: %s", i, r.Detail), ": ")
			return r
		}
	}
	if r := s.measure(sum); r.Code != OK {
		return r
	}
	p := s.newPlan(s.freedBy(c.Settles))
	s.endLines(p, c.Settles)
	return s.refusal(p, entry)
}

// freedBy is what acks take out of queues, by queue.
func (s *State) freedBy(items []SettleItem) map[uint64]amount {
	all := map[uint64]amount{}
	for i := range items {
		it := &items[i]
		if it.Action != ActionAck {
			continue
		}
		q, _ := s.queues.Get(it.Incarnation)
		l, _ := q.leased.Get(it.Place)
		f := all[it.Incarnation]
		all[it.Incarnation] = amount{f.messages + 1, f.bytes + uint64(l.size)}
	}
	return all
}
