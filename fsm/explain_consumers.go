package fsm

// takers counts the consumers of a queue by what keeps them from taking what
// is next. Of an exclusive queue only the active one could; the others stand by.
type takers struct {
	all     uint64 // that were not cancelled
	live    uint64 // that are connected, and do not stand by
	standby uint64

	// Of those that live, by the cause.
	full, held uint64 // no credit is left, and what they have
	kept       uint64 // for a message that has to be alone
	alone      uint64 // that have one
	unacked    uint64 // without acks, while the breaker probes
}

// none tells whether nobody can take what is next.
func (t *takers) none() bool { return t.full+t.kept+t.alone+t.unacked == t.live }

// takers looks at the consumers of the queue.
func (e *explainer) takers() (t takers) {
	next, waits := e.q.next()
	alone := next.message.flags&flagAlone != 0
	e.q.members.Scan(func(serial uint64, _ struct{}) bool {
		c, _ := e.s.consumers.Get(serial)
		if !c.closing {
			t.all++
		}
		switch {
		case !c.present():
			return true
		case e.q.active != 0 && e.q.active != serial:
			t.standby++
			return true
		}
		t.live++
		switch {
		case c.kept != 0:
			t.kept++
		case c.alone:
			t.alone++
		case c.turn == 0 || waits && !c.hasRoom(next.message.size) && (c.noAck || !alone):
			t.full++
			t.held += uint64(c.outstanding())
		case e.q.breaker.lets() && !e.q.breaker.serves(c):
			t.unacked++
		}
		return true
	})
	return t
}

// consumers tells why none can be handed what is next.
func (e *explainer) consumers() {
	t := e.takers()
	e.add(t.all == 0, Why{Kind: WhyNoConsumer})
	e.add(t.all > 0 && t.live+t.standby == 0, Why{Kind: WhyConsumersDetached, Count: t.all})
	if e.q.ready() > 0 && t.none() {
		e.add(t.full > 0, Why{Kind: WhyNoCredit, Count: t.full, Of: t.live, Held: t.held})
		e.add(t.alone > 0, Why{Kind: WhyAloneHeld, Count: t.alone})
		e.add(t.unacked > 0, Why{Kind: WhyBreakerNeedsAcks, Count: t.unacked})
		e.add(t.standby > 0, Why{Kind: WhyExclusiveWaits, Count: t.standby, LeaseMillis: e.grace()})
	}
	e.kept()
}

// kept tells of messages that wait for their consumers to settle the rest, and
// names the first of those.
func (e *explainer) kept() {
	if e.q.kept == nil {
		return
	}
	y := Why{Kind: WhyAloneWaits}
	e.q.kept.Scan(func(_, serial uint64) bool {
		c, _ := e.s.consumers.Get(serial)
		if c.held.Len() == 0 {
			return true // whatever else keeps the message is told
		}
		if y.Count == 0 {
			x, _ := e.s.sessions.Get(c.session)
			y.Session, y.Consumer = x.id, c.number
		}
		y.Count++
		y.Held += uint64(c.held.Len())
		return true
	})
	e.add(y.Count > 0, y)
}

// grace is when the active consumer of an exclusive queue, which is detached,
// loses what it holds and another one takes over; 0: it is not.
func (e *explainer) grace() int64 {
	c, ok := e.s.consumers.Get(e.q.active)
	if !ok {
		return 0
	}
	x, _ := e.s.sessions.Get(c.session)
	return x.graceAt
}
