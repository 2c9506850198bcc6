package fsm

import (
	"slices"

	"github.com/tidwall/btree"
)

// servable tells whether a line that has something ready may be served. Of a
// group one batch is leased at a time, to one consumer, and nothing overtakes
// what waits for its retry.
func (s *State) servable(q *queue, l *line, size uint32) bool {
	switch {
	case l.group == "":
		return true
	case l.parked || l.condemned || l.reserved || l.blocked(q):
		return false
	case l.leased == 0:
		return true
	case l.given >= q.settings.GroupBatch:
		return false
	}
	c, ok := s.consumers.Get(l.last)
	return ok && uint64(size) < s.groupRoom(q, c)
}

// blocked tells whether a message of the group waits for its retry and the
// others wait for it.
func (l *line) blocked(q *queue) bool {
	return l.retrying > 0 && q.settings.GroupFailure != GroupSkip
}

// retries tells of a waiting message that it waits for its next attempt.
func (m *message) retries() bool { return m.flags&(flagScheduled|flagReserved) == 0 }

// wait notes a message in waiting.
func (l *line) wait(place uint64, m *message) {
	if l.waits == nil {
		l.waits = new(btree.Map[uint64, struct{}])
	}
	l.waits.Set(place, struct{}{})
	if m.retries() {
		l.retrying++
	}
	if m.flags&flagReserved != 0 {
		l.reserved = true
	}
}

// grouped notes a hand-out of a line. Without acks the group is free at once.
func (s *State) grouped(q *queue, n uint32, c *consumer) {
	if n != 0 {
		l := q.lines.at(n)
		if l.group != "" {
			l.last = c.serial
			if !c.noAck {
				l.given++
			}
		}
		if !c.noAck {
			l.leased++
		}
	}
	s.relist(q, n)
}

// freed notes the end of a lease: with the last one of a batch the batch ends.
func (s *State) freed(q *queue, n uint32) {
	if n == 0 {
		return
	}
	l := q.lines.at(n)
	if l.leased--; l.leased == 0 {
		s.close(l)
		l.given = 0
	}
	s.relistLine(q, l)
}

// close takes a line out of those of which its holder may be given more.
func (s *State) close(l *line) {
	if l.open {
		l.open = false
		s.consumer(l.last).open.Delete(openKey(l.size, l.number))
	}
}

// unclose puts a line among those of which its holder may be given more, by
// the size of its front.
func (s *State) unclose(q *queue, l *line, size uint32) {
	if l.open && l.size == size {
		return
	}
	s.close(l)
	c := s.consumer(l.last)
	if c.open.Len() == 0 {
		c.seen = s.groupRoom(q, c)
	}
	l.open, l.size = true, size
	c.open.Set(openKey(size, l.number), struct{}{})
}

func openKey(size, line uint32) uint64 { return uint64(size)<<32 | uint64(line) }

// groupRoom is the size from which on the next message of a group cannot go to
// the consumer that has the rest of the batch.
func (s *State) groupRoom(q *queue, c *consumer) uint64 {
	if c.turn == 0 || !s.eligible(q, c) {
		return 0
	}
	return c.room()
}

// reopen looks again at the groups of which a consumer may be given more,
// after its room changed: at those alone whose next message fitted, and does
// not now, or the other way round. It is called at every hand-out and settle, and
// the consumer may have thousands of groups.
func (s *State) reopen(q *queue, c *consumer) {
	s.work.lines = s.work.lines[:0]
	if c.open.Len() == 0 {
		return
	}
	was := c.seen
	c.seen = s.groupRoom(q, c)
	if was == c.seen {
		return
	}
	all, until := s.work.lines, max(was, c.seen)
	c.open.Ascend(openKey(uint32(min(was, c.seen)), 0), func(key uint64, _ struct{}) bool {
		if key>>32 >= until {
			return false
		}
		all = append(all, uint32(key))
		return true
	})
	slices.Sort(all)
	s.work.lines = all
	for _, n := range all {
		s.relist(q, n)
	}
}

// headFailed carries out what a queue's settings say of a group whose message
// failed for good.
func (s *State) headFailed(q *queue, n uint32) {
	if n == 0 {
		return
	}
	l := q.lines.at(n)
	switch {
	case l.group == "":
		return
	case q.settings.GroupFailure == GroupPark:
		q.lines.park(l, true)
	case q.settings.GroupFailure == GroupDead:
		l.condemned = true
	default:
		return
	}
	s.relistLine(q, l)
}

// parksGroups tells whether any group of the queue is parked, with messages or
// without.
func (q *queue) parksGroups() bool { return q.lines != nil && q.lines.groupsParked > 0 }

// condemned tells whether a message belongs to a group whose rest follows its
// head.
func (q *queue) condemned(m *message) bool {
	if m.line == 0 {
		return false
	}
	l, _ := q.lines.all.Get(m.line)
	return l.condemned
}

// moveCondemned moves what is not leased of condemned groups to the
// dead-letter queues, line by line, each by place.
func (s *State) moveCondemned(budget int) {
	for budget > 0 && s.broken == nil {
		incarnation, _, ok := s.doomed.Min()
		if !ok {
			return
		}
		q := s.queue(incarnation)
		n, _, _ := q.lines.doomed.Min()
		place, m := s.takeLowest(q, q.lines.at(n))
		s.arm(q)
		s.deadLetter(q, place, m, DeathGroup, "")
		budget--
	}
}

// takeLowest takes the unleased message of a line that has the lowest place.
func (s *State) takeLowest(q *queue, l *line) (place uint64, m message) {
	place, _, ok := l.stack.front()
	if l.waits != nil {
		if at, _, _ := l.waits.Min(); !ok || at < place {
			m, _ = s.takeWaiting(q, at)
			return at, m
		}
	}
	return s.takeReady(q, l.number)
}

// resumeGroup lets a parked group go on. One without messages ends.
func (s *State) resumeGroup(c *GroupResume) Result {
	q := s.queueNamed(c.Queue)
	if q == nil {
		return Result{Code: NotFound}
	}
	n, ok := uint32(0), false
	if q.lines != nil && c.Group != "" {
		n, ok = q.lines.named[lineKey{group: c.Group}]
	}
	if !ok {
		return Result{Code: NotFound, Detail: "message group " + c.Group + " has no messages, and is not parked"}
	}
	l := q.lines.at(n)
	q.lines.park(l, false)
	if l.messages == 0 {
		q.endLine(l)
		return Result{}
	}
	s.relistLine(q, l)
	s.touch(q)
	return Result{Value: l.messages}
}
