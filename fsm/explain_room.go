package fsm

// takes is the size of the largest message that a subscription takes now, -1 if
// it takes none, and whether it would take a larger one if it was empty. Tenants
// and groups aside, it is what judge says: that takes each smaller message, too,
// as a message needs no more room than a larger one, and what has to go for it
// has to go for that, in the same order.
func (e *explainer) takes(q *queue) (size int64, full bool) {
	most := int64(e.largest)
	if limit := q.settings.MaxBytes; limit > 0 && limit < uint64(most) {
		most = int64(limit)
	}
	r := e.s.roomOf(q, amount{}, amount{})
	size = r.left(most)
	if size == most || q.settings.Overflow != OverflowDropOldest || r.hopeless(uint32(size+1)) {
		return size, size < most
	}
	drops := (&effort{}).affords(e.s.bounds.Room)
	if least, _ := r.needs(uint32(size + 1)); least <= uint64(drops) {
		size = r.leftByDrops(most, drops)
	}
	return size, size < most
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

// leftByDrops is what is left when so many of the oldest messages are dropped,
// or as many as can be.
func (r *room) leftByDrops(most int64, drops int) int64 {
	size := r.left(most)
	r.queue.eachUnleased(func(n uint32) bool {
		r.deadMessages, r.deadBytes = r.deadMessages+1, r.deadBytes+uint64(n)
		if r.dead.within(r.deadMessages, r.deadBytes) != CauseNone {
			return false
		}
		r.messages, r.bytes = r.messages-1, r.bytes-uint64(n)
		size = r.left(most)
		drops--
		return size < most && drops > 0
	})
	return size
}
