package modeltest

import (
	"fmt"
	"slices"
	"sort"

	"github.com/ferrymq/ferrymq/fsm"
)

// largest are the largest messages that there may be: the one is larger than
// every queue of the model, and small queues take the other at times.
var largest = []uint32{fsm.MaxMessageBytes, 12}

// explains tells whether the state gives the causes that the model finds for
// what each queue does not hand out, all of them and no other.
func explains(m *Model, s *fsm.State) error {
	for i, q := range m.queueList() {
		largest := largest[i%len(largest)]
		x, ok := s.Explain(q.name, largest)
		if !ok {
			return fmt.Errorf("queue %s is not explained", q.name)
		}
		var got []fsm.Why
		for _, y := range x.Reasons { // what the model does not look for is left out
			if y.Kind == fsm.WhyMissed || y.Kind == fsm.WhyTopicRefuses {
				got = append(got, y)
			} else {
				got = append(got, fsm.Why{Kind: y.Kind, Count: y.Count, Of: y.Of, Held: y.Held})
			}
		}
		want := m.causes(q, uint64(largest))
		if !slices.Equal(got, want) {
			return fmt.Errorf("queue %s is explained by %+v, want %+v\n%s", q.name, got, want, q)
		}
		if q.count(ready) > 0 && !slices.ContainsFunc(want, func(y fsm.Why) bool { return slices.Contains(holdReady, y.Kind) }) {
			return fmt.Errorf("nothing holds back what is ready: %+v\n%s", want, q)
		}
	}
	return nil
}

// holdReady are the causes that can hold back what is ready.
var holdReady = []string{fsm.WhyPaused, fsm.WhyNoConsumer, fsm.WhyConsumersDetached, fsm.WhyNoCredit, fsm.WhyAloneWaits,
	fsm.WhyAloneHeld, fsm.WhyExclusiveWaits, fsm.WhyGroupsBusy, fsm.WhyGroupsBlocked, fsm.WhyGroupsParked,
	fsm.WhyBreakerOpen, fsm.WhyBreakerProbing, fsm.WhyBreakerNeedsAcks, fsm.WhyRate}

// causes of a queue, in the order in which they are told.
func (m *Model) causes(q *queue, largest uint64) []fsm.Why {
	var all reasons
	all.add(len(q.messages) == int(q.count(leased)), fsm.Why{Kind: fsm.WhyEmpty})
	all.add(q.paused, fsm.Why{Kind: fsm.WhyPaused})
	q.lackTakers(&all)
	q.holdGroups(&all)
	if b := q.breaker; b != nil {
		all.add(b.state == fsm.BreakerIsOpen, fsm.Why{Kind: fsm.WhyBreakerOpen})
		all.add(b.probing() && !b.lets(), fsm.Why{Kind: fsm.WhyBreakerProbing, Count: b.running})
	}
	vacant, _ := q.reservation()
	all.add(!q.hasToken() && (q.unreserved() > 0 || vacant != nil), fsm.Why{Kind: fsm.WhyRate})
	all.some(fsm.WhyScheduled, q.count(scheduled))
	all.some(fsm.WhyRetrying, q.count(retrying))
	all.some(fsm.WhyParked, q.count(parked))
	if q.subject != nil {
		m.topicRefuses(q, largest, &all)
	}
	return all
}

// topicRefuses: a subscription that missed messages, and required ones of its
// topic that refuse some.
func (m *Model) topicRefuses(q *queue, largest uint64, all *reasons) {
	takes, full := m.takes(q, largest)
	all.add(q.missed > 0, fsm.Why{Kind: fsm.WhyMissed, Count: q.missed, Full: full, Takes: takes, Name: q.subject.topic.name})
	y := fsm.Why{Kind: fsm.WhyTopicRefuses, Takes: int64(largest)}
	for _, other := range m.subscriptions(q.subject.topic) {
		if !other.subject.required {
			continue
		}
		if takes, full := m.takes(other, largest); full {
			if y.Count++; takes < y.Takes {
				y.Takes, y.Name = takes, other.name
			}
		}
	}
	all.add(y.Count > 0, y)
}

// takes is the size of the largest message that a queue takes now, -1 for none,
// and whether that is less than it would take if it had no messages.
func (m *Model) takes(q *queue, largest uint64) (size int64, full bool) {
	crowded := q.crowded
	defer func() { q.crowded = crowded }()
	q.crowded = false                // in the last entry
	fresh := Model{bounds: m.bounds} // and that spent something
	refuses := func(size int) bool {
		_, cause := fresh.victims(q, uint64(size), 0)
		return cause != fsm.CauseNone
	}
	size = int64(sort.Search(int(largest)+1, refuses)) - 1
	if limit := q.settings.MaxBytes; limit > 0 {
		largest = min(largest, limit)
	}
	return size, size < int64(largest)
}

type reasons []fsm.Why

func (x *reasons) add(when bool, y fsm.Why) {
	if when {
		*x = append(*x, y)
	}
}

func (x *reasons) some(kind string, n uint64) { x.add(n > 0, fsm.Why{Kind: kind, Count: n}) }

// lackTakers: nobody can have what is next, and what waits for somebody.
func (q *queue) lackTakers(all *reasons) {
	next := q.choose()
	var members, live, standby, full, held, alone, unacked, others uint64
	for _, c := range q.consumers {
		switch {
		case c.closing:
			continue
		case !c.session.attached():
			members++
			continue
		}
		members++
		if !q.mayHave(c) && q.active != nil {
			standby++
			continue
		}
		live++
		used := len(c.held) + len(c.untaken)
		switch {
		case c.waits() != nil:
			others++
		case c.secluded():
			alone++
		case used >= int(c.asked.CreditMessages),
			next != nil && !c.room(next.size()) && (!next.alone || c.asked.NoAck):
			full++
			held += uint64(used)
		case c.asked.NoAck && q.breaker.probing() && q.breaker.lets():
			unacked++
		}
	}
	all.add(members == 0, fsm.Why{Kind: fsm.WhyNoConsumer})
	all.add(members > 0 && live+standby == 0, fsm.Why{Kind: fsm.WhyConsumersDetached, Count: members})
	if q.unreserved() > 0 && full+alone+unacked+others == live {
		all.add(full > 0, fsm.Why{Kind: fsm.WhyNoCredit, Count: full, Of: live, Held: held})
		all.some(fsm.WhyAloneHeld, alone)
		all.some(fsm.WhyBreakerNeedsAcks, unacked)
		all.some(fsm.WhyExclusiveWaits, standby)
	}
	waits := fsm.Why{Kind: fsm.WhyAloneWaits}
	for _, msg := range q.messages {
		if msg.reserved != nil && len(msg.reserved.held) > 0 {
			waits.Count++
			waits.Held += uint64(len(msg.reserved.held))
		}
	}
	all.add(waits.Count > 0, waits)
}

// unreserved counts what is ready for anybody.
func (q *queue) unreserved() (n uint64) {
	for _, msg := range q.messages {
		if msg.status == ready && msg.reserved == nil {
			n++
		}
	}
	return n
}

// holdGroups: groups with something ready that nobody may have now.
func (q *queue) holdGroups(all *reasons) {
	var busy, blocked uint64
	for _, l := range q.lines {
		mine := q.messagesOf(l)
		switch {
		case l.group == "", l.parked, l.condemned,
			slices.ContainsFunc(mine, func(msg *message) bool { return msg.reserved != nil }),
			!slices.ContainsFunc(mine, func(msg *message) bool { return msg.status == ready }):
		case q.blocked(l):
			blocked++
		case q.servable(l) == nil:
			busy++
		}
	}
	all.some(fsm.WhyGroupsBusy, busy)
	all.some(fsm.WhyGroupsBlocked, blocked)
	_, held := q.groups()
	all.some(fsm.WhyGroupsParked, held)
}
