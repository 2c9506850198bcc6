package fsm

// An explanation holds the state, and a topic may have 10,000 subscriptions, in
// each of which thousands of messages may have to be looked at. Of all of them
// together it looks at no more than an entry may in vain. Of a subscription that
// is left over nothing is said, but how many there are; most need no look.
const (
	explainLooks = lookMax // messages: about 4 ms
	lookBegin    = 8       // that to begin with a queue counts as
	lookInLines  = 3       // that one counts as in a queue with groups or priorities: each may begin a line
)

// The first that is looked at is never left over.
const _ = uint(explainLooks - lookBegin - lookInLines*(roomMax+1))

// takes is the size of the largest message that a subscription takes now, -1 if
// it takes none, and whether it would take a larger one if it was empty. Tenants
// and groups aside, it is what judge says: that takes each smaller message, too,
// as a message needs no more room than a larger one, and what has to go for it
// has to go for that, in the same order. It is not seen if too much was looked at.
func (e *explainer) takes(q *queue) (size int64, full, seen bool) {
	most := int64(e.largest)
	if limit := q.settings.MaxBytes; limit > 0 && limit < uint64(most) {
		most = int64(limit)
	}
	r := e.s.roomOf(q, amount{}, amount{})
	size = r.left(most)
	if size == most || q.settings.Overflow != OverflowDropOldest || r.hopeless(uint32(size+1)) {
		return size, size < most, true
	}
	drops := (&effort{}).affords(e.s.bounds.Room)
	if least, _ := r.needs(uint32(size + 1)); least > uint64(drops) {
		return size, true, true
	}
	size, seen = e.takesByDrops(&r, most, drops)
	return size, size < most, seen
}

// takesByDrops is what fits when so many of the oldest messages are dropped, or
// as many as can be.
func (e *explainer) takesByDrops(r *room, most int64, drops int) (size int64, seen bool) {
	if e.looks -= lookBegin; e.looks < 0 {
		return 0, false
	}
	look := 1
	if r.queue.lines != nil {
		look = lookInLines
	}
	r.queue.eachUnleased(func(n uint32) bool {
		if e.looks -= look; e.looks < 0 {
			return false
		}
		r.deadMessages, r.deadBytes = r.deadMessages+1, r.deadBytes+uint64(n)
		if r.dead.within(r.deadMessages, r.deadBytes) != CauseNone {
			return false
		}
		r.messages, r.bytes = r.messages-1, r.bytes-uint64(n)
		drops--
		return drops > 0 && r.left(most) < most
	})
	return r.left(most), e.looks >= 0
}

// left is the size, up to a bound, of the largest message that fits beside what
// is there, -1 if none does.
func (r *room) left(most int64) int64 {
	switch limit := r.queue.settings.MaxBytes; {
	case r.queue.within(r.messages+1, r.bytes) != CauseNone:
		return -1
	case limit > 0:
		return int64(min(limit-r.bytes, uint64(most)))
	}
	return most
}
