package fsm

// A queue that drops its oldest makes room in the entry in which a message
// comes, but an entry does not drop a long row of them: all replicas would stand
// still for it. A queue that needs more than the entry affords refuses the
// message, or, as a subscription that may not refuse, misses it. It is crowded
// for the rest of the entry, and takes nothing for which it would have to drop.
// What the entry did not spend is spent at its end, on the crowded queues in the
// order in which they were found: so whoever is refused gets further with each
// try.

// effort is what an entry spent on room.
type effort struct {
	dropped int // messages, less one for each that was taken: what is all or nothing may drop its own
	looked  int // messages looked at in vain, beyond lookFree for each that they were looked at for
}

// purpose tells efforts apart: neither kind of queue has less for the other's
// sake.
type purpose uint8

const (
	forRefusing purpose = iota // queues, and subscriptions that may refuse
	forMissing                 // subscriptions that may not
	purposes
)

type efforts [purposes]effort

// affords is how many messages may be dropped for one.
func (e *effort) affords(room int) int {
	most := room - e.dropped + 1
	if e.looked >= lookMax {
		most = min(most, lookFree)
	}
	return most
}

// crowded is a queue that needs more room than the entry affords.
type crowded struct {
	queue   uint64
	purpose purpose
	want    amount // room for so much
	gone    amount // after so much is gone
}

// crowd notes that a queue needs more room, unless it is noted already: then
// room is made for who came first.
func (s *State) crowd(q *queue, p purpose, want, gone amount) {
	if q.crowded == s.index {
		return
	}
	q.crowded = s.index
	s.work.crowded = append(s.work.crowded, crowded{q.incarnation, p, want, gone})
}

// makeWay spends what is left of the efforts.
func (s *State) makeWay() {
	w := &s.work
	for i := range w.crowded {
		c := &w.crowded[i]
		q := s.queue(c.queue)
		if q == nil {
			continue
		}
		e := &w.efforts[c.purpose]
		for e.dropped = max(0, e.dropped); e.dropped < s.bounds.Room && s.inTheWay(q, c); e.dropped++ {
			s.dropOldest(q)
			s.touch(q) // what comes next may be small enough for a consumer
		}
	}
}

// inTheWay tells whether the oldest message of a crowded queue has to go, and can.
func (s *State) inTheWay(q *queue, c *crowded) bool {
	messages, bytes := less(q.messages()+c.want.messages, c.gone.messages), less(q.bytes+c.want.bytes, c.gone.bytes)
	return s.broken == nil && q.settings.Overflow == OverflowDropOldest && q.within(messages, bytes) != CauseNone && s.givesWay(q)
}

// givesWay tells whether the oldest message of a queue can go: else the queue comes
// no further.
func (s *State) givesWay(q *queue) bool {
	o, ok := q.oldest()
	d, _ := s.queues.Get(q.deadLetter)
	return ok && d.fits(q.sizeOf(&o)) == CauseNone
}

func less(n, by uint64) uint64 { return n - min(n, by) }
