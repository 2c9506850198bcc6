package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// topic is a name to publish to; its subscriptions are queues.
type topic struct {
	name        string
	incarnation uint64
	settings    fsm.TopicSettings
	window      window

	published, duplicate uint64
}

// subscription makes a queue one of a topic's.
type subscription struct {
	topic    *topic
	asked    fsm.Subscribe // as it was made, defaults filled in
	required bool
	session  *session // it goes with this one; nil: it stays
}

// subscriptions of a topic in the order in which they were made.
func (m *Model) subscriptions(t *topic) (all []*queue) {
	for _, q := range m.queueList() {
		if q.subject != nil && q.subject.topic == t {
			all = append(all, q)
		}
	}
	return all
}

// fanOut puts a message into every subscription that wants it, or, if a
// required one has no room, into none.
func (m *Model) fanOut(t *topic, d Draft, id fsm.ID) (v fsm.Verdict, queues uint64) {
	var into []*queue
	kept := 0 // drops that the required ones before need
	for _, q := range m.subscriptions(t) {
		if !matches(q.subject.asked.Filter, d.Subject) {
			continue
		}
		switch {
		case q.subject.required && q.tooSmall(d.Size):
			return fsm.Verdict{Code: fsm.TooLarge}, 0
		case q.subject.required:
			cause, drops := m.refuses(q, d, kept)
			if cause != fsm.CauseNone {
				m.crowd(q, d.Size, cause)
				m.refusedBy(q)
				return fsm.Verdict{Code: fsm.Busy, Cause: cause}, 0
			}
			kept += drops
		}
		into = append(into, q)
	}
	t.published++
	for _, q := range into {
		if !q.tooSmall(d.Size) && m.lineCause(q, d) == fsm.CauseNone && m.makeRoom(q, d.Size) == fsm.CauseNone {
			m.store(q, d, id)
			queues++
		} else {
			q.missed++
		}
	}
	return fsm.Verdict{}, queues
}

// refuses tells why a queue would refuse a message, or what of the entry's drops
// it needs.
func (m *Model) refuses(q *queue, d Draft, kept int) (cause fsm.Cause, drops int) {
	if cause = m.lineCause(q, d); cause != fsm.CauseNone {
		return cause, 0
	}
	victims, cause := m.victims(q, d.Size, kept)
	return cause, len(victims) - 1
}

func goodWindow(millis, capacity uint32) bool {
	if millis == 0 && capacity == 0 {
		return true
	}
	return millis >= fsm.MinDedupMillis && millis <= fsm.MaxDedupMillis && capacity > 0 && capacity <= fsm.MaxDedupCapacity
}

func (m *Model) topicCreate(x *fsm.TopicCreate) Outcome {
	t := m.topics[x.Topic]
	switch {
	case !goodName(x.Topic), !goodWindow(x.Settings.DedupMillis, x.Settings.DedupCapacity):
		return answer(fsm.Invalid)
	case m.queues[x.Topic] != nil, t != nil && t.settings != x.Settings:
		return answer(fsm.Conflict)
	case t != nil:
		return Outcome{Code: fsm.OK, Value: t.incarnation}
	}
	m.incarnation++
	m.topics[x.Topic] = &topic{name: x.Topic, incarnation: m.incarnation, settings: x.Settings}
	return Outcome{Code: fsm.OK, Value: m.incarnation}
}

func (m *Model) topicDelete(x *fsm.TopicDelete) Outcome {
	t := m.topics[x.Topic]
	if t == nil {
		return answer(fsm.NotFound)
	}
	all := m.subscriptions(t)
	if x.IfUnused && len(all) > 0 {
		return Outcome{Code: fsm.InUse, Value: uint64(len(all))}
	}
	for _, q := range all {
		m.destroy(q, "with its topic")
		m.destroy(q.dlq, "with its topic")
	}
	delete(m.topics, t.name)
	return Outcome{Code: fsm.OK, Value: uint64(len(all))}
}

func (m *Model) subscribe(x *fsm.Subscribe) Outcome {
	want := *x
	want.OpHeader = fsm.OpHeader{}
	s, fault := settings(want.Settings)
	s = fitted(s, x.Required)
	want.Settings = s
	t, q := m.topics[x.Topic], m.queues[x.Queue]
	switch {
	case !goodName(x.Queue), !goodFilter(x.Filter):
		return answer(fsm.Invalid)
	case fault != fsm.OK:
		return answer(fault)
	case !goodFor(s, x.Required):
		return answer(fsm.Invalid)
	case t == nil:
		return answer(fsm.NotFound)
	case m.topics[x.Queue] != nil:
		return answer(fsm.Conflict)
	case q != nil && q.subject != nil && q.subject.topic == t && q.settings == s && q.subject.same(want, m.sessions[x.OpHeader.Session]):
		return Outcome{Code: fsm.OK, Value: q.incarnation}
	case q != nil:
		return answer(fsm.Conflict)
	}
	q = m.newPair(x.Queue, s)
	q.subject = &subscription{topic: t, asked: want, required: x.Required}
	if x.Session {
		q.subject.session = m.sessions[x.OpHeader.Session]
	}
	return Outcome{Code: fsm.OK, Value: q.incarnation}
}

// goodFor: the topic judges message ids, and what is required misses nothing.
func goodFor(s fsm.Settings, required bool) bool {
	return s.DedupMillis == 0 && (!required || s.Overflow != fsm.OverflowDropNew)
}

// fitted are the settings of a subscription: only one that is required may
// refuse.
func fitted(s fsm.Settings, required bool) fsm.Settings {
	if !required && s.Overflow == fsm.OverflowReject {
		s.Overflow = fsm.OverflowDropOldest
	}
	return s
}

func (u *subscription) same(x fsm.Subscribe, by *session) bool {
	return u.asked.Filter == x.Filter && u.required == x.Required && u.asked.Session == x.Session &&
		(u.session == nil || u.session == by)
}

// unsubscribe deletes the subscriptions that were a session's.
func (m *Model) unsubscribe(s *session) {
	for _, q := range m.queueList() {
		if q.subject != nil && q.subject.session == s && !q.gone {
			m.mournFirst(q)
			m.destroy(q, "with its session")
			m.destroy(q.dlq, "with its session")
		}
	}
}
