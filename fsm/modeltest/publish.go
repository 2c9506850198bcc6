package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// target of a publish: a queue, or a topic.
type target struct {
	queue *queue
	topic *topic
}

// target resolves a name, or tells why nothing can be published to it.
func (m *Model) target(name string) (target, fsm.Code) {
	to := target{m.queues[name], m.topics[name]}
	switch {
	case to.queue != nil && to.queue.dlq == nil:
		return to, fsm.Invalid
	case to.queue == nil && to.topic == nil:
		return to, fsm.NotFound
	}
	return to, fsm.OK
}

// publish judges the messages one by one, in order. An ordered publish is all
// or nothing.
func (m *Model) publish(x *fsm.Publish, c Command, got fsm.Result) (o Outcome) {
	to, code := m.target(x.Queue)
	switch n := int(x.Count); {
	case code != fsm.OK:
		return answer(code)
	case n == 0:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	case c.Broken:
		return answer(fsm.Invalid)
	case m.total(to, c.Drafts) > fsm.MaxOperationBytes:
		return answer(fsm.TooLarge)
	}
	if !x.Ordered {
		return m.arriveEach(to, c.Drafts, got.Position)
	}
	if !affords(&m.toil.fanOut, m.spread(to, c.Drafts), m.bounds.FanOut) {
		return busy(fsm.CauseEntry)
	}
	m.attempt(func() bool {
		to, _ = m.target(x.Queue)
		if o = m.faults(to, c.Drafts); o.accepted() {
			o = m.arriveAll(to, c.Drafts, got.Position)
			o = m.whole(o, []part{{to, c.Drafts[max(0, len(o.Items)-1):]}})
		}
		return o.accepted()
	})
	return o
}

// faults is the answer to what has to be refused as a whole for one faulty
// message.
func (m *Model) faults(to target, drafts []Draft) Outcome {
	for _, d := range drafts {
		if code := m.fault(to, d); code != fsm.OK {
			return answer(code)
		}
	}
	return answer(fsm.OK)
}

// whole is the answer to an operation that is refused as a whole: that of the
// first message that is, which is the first of the rest. Which of the limits of a
// queue it names, if several messages would break them, is the machine's own.
func (m *Model) whole(o Outcome, rest []part) Outcome {
	for _, v := range o.Items {
		if accepted(v.Code) {
			continue
		}
		if v.Cause == fsm.CauseMessages || v.Cause == fsm.CauseBytes {
			if v.Cause = causeLimit; m.full != nil && !m.everHolds(m.full, rest) {
				return answer(fsm.TooLarge)
			}
		}
		return Outcome{Code: v.Code, Cause: v.Cause}
	}
	return o
}

// everHolds tells whether a queue would hold what arrived in it by the attempt and
// the rest of it, with nothing else in it.
func (m *Model) everHolds(q *queue, rest []part) bool {
	sum := q.arrived
	for _, p := range rest {
		for _, d := range p.drafts {
			subscribed := p.to.topic != nil && q.subject != nil && q.subject.topic == p.to.topic && matches(q.subject.asked.Filter, d.Subject)
			w := p.to.window()
			if p.to.queue != q && !subscribed || w.judge(d, m.clock.LeaseMillis).Code != fsm.OK {
				continue
			}
			w.add(d, fsm.ID{}, m.clock.LeaseMillis, p.to.windowMillis())
			sum = amount{sum.messages + 1, sum.bytes + d.Size}
		}
	}
	return q.holds(sum)
}

// refusedBy notes a queue that refuses a message, and will not make room for it.
func (m *Model) refusedBy(q *queue) {
	if m.attempting && q.settings.Overflow == fsm.OverflowReject {
		m.full = q
	}
}

// arriveEach puts those of the messages where they go that the entry can put into
// all subscriptions: all before the first that it cannot.
func (m *Model) arriveEach(to target, drafts []Draft, position uint32) (o Outcome) {
	most, n := m.bounds.FanOut-m.toil.fanOut, 0
	if m.toil.fanOut == 0 {
		most = fsm.MaxFanOut
	}
	fit := 0
	for ; fit < len(drafts); fit++ {
		more := m.spread(to, drafts[fit:fit+1])
		if more > 0 && n+more > most {
			break
		}
		n += more
	}
	m.toil.fanOut += n
	o = m.arriveAll(to, drafts[:fit], position)
	for _, d := range drafts[fit:] {
		v := fsm.Verdict{Code: m.fault(to, d)}
		if v.Code == fsm.OK {
			v = fsm.Verdict{Code: fsm.Busy, Cause: fsm.CauseEntry}
		}
		o.Items = append(o.Items, v)
	}
	return o
}

// arriveAll puts messages where they go, each by itself. An attempt ends with
// the first that is refused.
func (m *Model) arriveAll(to target, drafts []Draft, position uint32) (o Outcome) {
	for i, d := range drafts {
		id := fsm.ID{Group: m.group, Index: m.index, Position: position + uint32(i)}
		v, queues := m.arrive(to, d, id)
		o.Items = append(o.Items, v)
		o.Value += queues
		if m.attempting && !accepted(v.Code) {
			break
		}
	}
	return o
}

// arrive judges one message and puts it where it goes; it tells how many
// queues of a topic got it.
func (m *Model) arrive(to target, d Draft, id fsm.ID) (v fsm.Verdict, queues uint64) {
	if code := m.fault(to, d); code != fsm.OK {
		return fsm.Verdict{Code: code}, 0
	}
	w := to.window()
	if v := w.judge(d, m.clock.LeaseMillis); v.Code != fsm.OK {
		if v.Code == fsm.Duplicate {
			to.duplicate()
		}
		return v, 0
	}
	if m.toTopic = to.topic != nil; !m.toTopic {
		v = m.enter(to.queue, d, id)
	} else {
		v, queues = m.fanOut(to.topic, d, id)
	}
	if v.Code == fsm.OK {
		w.add(d, id, m.clock.LeaseMillis, to.windowMillis())
	}
	return v, queues
}

// enter puts a message into a queue if there is room, or room can be made.
func (m *Model) enter(q *queue, d Draft, id fsm.ID) fsm.Verdict {
	if q.tooSmall(d.Size) {
		return fsm.Verdict{Code: fsm.TooLarge}
	}
	if cause := m.lineCause(q, d); cause != fsm.CauseNone {
		return fsm.Verdict{Code: fsm.Busy, Cause: cause}
	}
	if cause := m.makeRoom(q, d.Size); cause != fsm.CauseNone {
		if q.settings.Overflow == fsm.OverflowDropNew {
			q.overflowed++
			return fsm.Verdict{Code: fsm.Dropped}
		}
		m.refusedBy(q)
		return fsm.Verdict{Code: fsm.Busy, Cause: cause}
	}
	m.store(q, d, id)
	return fsm.Verdict{}
}

// store puts a message at the end of a queue.
func (m *Model) store(q *queue, d Draft, id fsm.ID) *message {
	msg := &message{id: id, draft: d, entered: m.clock.WallMillis, status: ready}
	msg.at, msg.expires = timesOf(q.settings, d, m.clock.WallMillis)
	if msg.at != 0 {
		msg.status = scheduled
	}
	q.add(msg)
	q.arrived = amount{q.arrived.messages + 1, q.arrived.bytes + d.Size}
	return msg
}
