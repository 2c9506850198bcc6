package fsm

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Queue describes a queue.
func (s *State) Queue(name string) (QueueInfo, bool) {
	incarnation, ok := s.names.Get(name)
	if !ok {
		return QueueInfo{}, false
	}
	q, _ := s.queues.Get(incarnation)
	return s.info(q), true
}

// Queues lists the queues whose names begin with prefix and are greater than
// after, in the order of their names, at most limit; more tells whether there
// are others.
func (s *State) Queues(prefix, after string, limit int) (page []QueueInfo, more bool) {
	s.names.Ascend(max(prefix, after), func(name string, incarnation uint64) bool {
		switch {
		case name <= after && after != "":
			return true
		case !strings.HasPrefix(name, prefix):
			return false
		case len(page) >= limit:
			more = true
			return false
		}
		q, _ := s.queues.Get(incarnation)
		page = append(page, s.info(q))
		return true
	})
	return page, more
}

func (q *queue) info() QueueInfo {
	i := QueueInfo{
		Name: q.name, Incarnation: q.incarnation, Settings: q.settings, Paused: q.paused,
		Ready: q.ready() + q.reserved(), Leased: uint64(q.leased.Len()), Parked: uint64(q.parked.Len()), Bytes: q.bytes,
		Consumers: uint32(q.members.Len()), Published: q.published, Acked: q.acked, Dead: q.dead, Purged: q.purged,
		Overflowed: q.overflowed, Missed: q.missed, Duplicates: q.duplicates,
		Expired: q.expired, Breaker: q.breaker.info(),
	}
	if q.timed != nil {
		i.Scheduled, i.Retrying = q.timed.scheduled, uint64(q.timed.lease.Len())
	}
	if q.lines != nil {
		i.Groups, i.GroupsParked = q.lines.groups, q.lines.groupsParked
	}
	if q.deadLetter != 0 {
		i.DeadLetter = q.name + DeadLetterSuffix
	}
	i.OldestReadyMillis = q.oldestMillis()
	return i
}

// oldestMillis is when the first ready message was enqueued, 0 without one.
func (q *queue) oldestMillis() (wall int64) {
	place, n, ok := q.oldestReady()
	if ok {
		_, m, _ := q.stackOf(n).front()
		wall = m.wall.int64()
	}
	if q.kept != nil {
		if at, _, _ := q.kept.Min(); !ok || at < place {
			m, _ := q.waiting.Get(at)
			wall = m.wall.int64()
		}
	}
	return wall
}

// Messages visits the messages of a queue: ready, leased, scheduled, retrying,
// parked, each by place. For tests and tools: it walks all of them.
func (s *State) Messages(name string, visit func(MessageInfo) bool) {
	incarnation, ok := s.names.Get(name)
	if !ok {
		return
	}
	q, _ := s.queues.Get(incarnation)
	if !s.eachReady(q, visit) {
		return
	}
	more := true
	q.leased.Scan(func(place uint64, l lease) bool {
		m := l.rest()
		i := s.messageInfo(q, Leased, place, &m)
		c, _ := s.consumers.Get(l.consumer)
		x, _ := s.sessions.Get(c.session)
		i.Token, i.Session, i.Consumer, i.DeadlineMillis, i.Extended = l.token, x.id, c.number, l.deadline(), l.flags&flagExtended != 0
		more = visit(i)
		return more
	})
	for _, state := range []MessageState{Scheduled, Retrying} {
		if more && q.waiting.Len() > 0 {
			q.waiting.Scan(func(place uint64, m message) bool {
				if m.waits() == state {
					more = visit(s.messageInfo(q, state, place, &m))
				}
				return more
			})
		}
	}
	if !more {
		return
	}
	q.parked.Scan(func(place uint64, m message) bool { return visit(s.messageInfo(q, Parked, place, &m)) })
}

func (s *State) messageInfo(q *queue, state MessageState, place uint64, m *message) MessageInfo {
	i := MessageInfo{State: state, Place: place, ID: ID{Group: s.group, Index: m.index, Position: m.position},
		Bytes: m.size, Attempts: m.attempts, Failures: m.failures, EnqueuedMillis: m.wall.int64(), Death: m.death(),
		ReadyMillis: m.at.int64(), ExpiresMillis: m.expires.int64(),
		Priority: DefaultPriority, Alone: m.flags&flagAlone != 0}
	if m.line != 0 {
		l, _ := q.lines.all.Get(m.line)
		i.Priority, i.Group, i.Tenant = l.priority, l.group, l.tenant
	}
	return i
}

// waits tells what a waiting message waits for.
func (m *message) waits() MessageState {
	switch {
	case m.flags&flagScheduled != 0:
		return Scheduled
	case m.flags&flagReserved != 0:
		return Ready
	}
	return Retrying
}

// eachReady merges what is ready of all lines, by place.
func (s *State) eachReady(q *queue, visit func(MessageInfo) bool) bool {
	if q.lines == nil && q.kept == nil {
		return q.stack.each(func(place uint64, m message) bool { return visit(s.messageInfo(q, Ready, place, &m)) })
	}
	all := make([]MessageInfo, 0, q.ready())
	collect := func(n uint32, k *stack) {
		k.each(func(place uint64, m message) bool {
			m.line = n
			all = append(all, s.messageInfo(q, Ready, place, &m))
			return true
		})
	}
	collect(0, &q.stack)
	if q.lines != nil {
		q.lines.all.Scan(func(n uint32, l *line) bool {
			collect(n, &l.stack)
			return true
		})
	}
	if q.kept != nil {
		q.kept.Scan(func(place, _ uint64) bool {
			m, _ := q.waiting.Get(place)
			all = append(all, s.messageInfo(q, Ready, place, &m))
			return true
		})
	}
	slices.SortFunc(all, func(a, b MessageInfo) int { return cmp.Compare(a.Place, b.Place) })
	for i := range all {
		if !visit(all[i]) {
			return false
		}
	}
	return true
}

// each merges the returned ones with the lane, by place.
func (k *stack) each(visit func(place uint64, m message) bool) (more bool) {
	more = true
	returned := k.returned.Iter()
	left := returned.First()
	returnedBelow := func(place uint64) bool {
		for more && left && returned.Key() < place {
			more = visit(returned.Key(), returned.Value())
			left = returned.Next()
		}
		return more
	}
	k.lane.each(func(place uint64, p packed) bool {
		if !returnedBelow(place) {
			return false
		}
		more = visit(place, p.message())
		return more
	})
	return more && returnedBelow(math.MaxUint64)
}

// Sessions counts the sessions.
func (s *State) Sessions() (n SessionCounts) {
	n.Consumers = s.consumers.Len()
	s.sessions.Scan(func(_ uint64, x *session) bool {
		if !x.ending {
			n.Sessions++
		}
		if x.attached {
			n.Attached++
		}
		return true
	})
	return n
}

// Session describes a session.
func (s *State) Session(id SessionID) (SessionInfo, bool) {
	x, ok := s.sessions.Get(s.byID[id])
	if !ok {
		return SessionInfo{}, false
	}
	i := SessionInfo{Session: id, Epoch: x.epoch, Node: x.node, Judged: x.judged, AnsweredThrough: x.answered,
		LastOrdered: x.lastOrdered, KeptResults: len(x.kept), KeptItems: x.keptItems}
	for _, m := range x.consumers {
		c, _ := s.consumers.Get(m.serial)
		i.Consumers = append(i.Consumers, ConsumerInfo{
			Consumer: c.number, Incarnation: c.queue, CreditMessages: c.creditMessages, CreditBytes: c.creditBytes,
			Concurrency: c.concurrency, NoAck: c.noAck, LeaseMillis: c.leaseMillis, Held: c.outstanding(),
			HeldBytes: c.heldBytes, Assigned: c.assigned, Taken: c.taken, Closing: c.closing,
		})
	}
	return i, true
}
