package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// The items of a snapshot, in the order they are written. Each section is
// ordered by number; what can be derived (counts, who holds what, the index
// of deadlines) is left out. Waiting messages are packed anew from the front,
// so that where the chunks once began leaves no trace.

func (p *Snapshot) write(f *frameWriter) {
	p.writeHead(f)
	p.topics.Scan(func(_ uint64, t *topic) bool { return f.item(tagTopic) && f.topic(t) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.item(tagQueue) && f.queue(q) })
	p.sessions.Scan(func(_ uint64, x *session) bool { return f.item(tagSession) && f.session(x) })
	p.consumers.Scan(func(_ uint64, c *consumer) bool { return f.item(tagConsumer) && f.consumer(c) })
	p.topics.Scan(func(_ uint64, t *topic) bool { return f.window(t.incarnation, t.window) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.window(q.incarnation, q.window) })
	p.requests.Scan(func(_ uint64, a *asked) bool { return f.item(tagRequest) && f.request(a) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.tenants(q) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.lines(q) })
	p.junk.Scan(func(_ uint64, j *junk) bool { return f.item(tagJunk) && f.junk(j) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.lanes(owner{number: q.incarnation}, q.shelf) })
	p.junk.Scan(func(_ uint64, j *junk) bool { return f.lanes(owner{junk: true, number: j.serial}, &j.shelf) })
	p.queues.Scan(func(_ uint64, q *queue) bool { return f.shelf(owner{number: q.incarnation}, q.shelf) })
	p.junk.Scan(func(_ uint64, j *junk) bool { return f.shelf(owner{junk: true, number: j.serial}, &j.shelf) })
	p.writeBodies(f)
	if f.item(tagEnd) {
		f.b = wire.AppendUint(f.b, p.bodies.Len())
		f.flush()
	}
}

func (p *Snapshot) writeHead(f *frameWriter) {
	f.item(tagHead)
	h := &p.head
	for _, v := range [...]uint64{uint64(h.group), uint64(h.version), h.index, uint64(h.clock.WallMillis),
		uint64(h.clock.LeaseMillis), h.tokens, h.incarnations, h.serials} {
		f.b = wire.AppendUint(f.b, v)
	}
	f.b = wire.AppendBytes(f.b, h.digest[:])
}

func (f *frameWriter) queue(q *queue) bool {
	b := wire.AppendUint(f.b, q.incarnation)
	b = wire.AppendString(b, q.name)
	b = appendSettings(b, &q.settings)
	b = wire.AppendBool(b, q.paused)
	for _, v := range [...]uint64{q.deadLetter, q.source, q.places, q.turns, q.active, q.published, q.acked, q.dead, q.purged, q.expired} {
		b = wire.AppendUint(b, v)
	}
	b = wire.AppendArrayLen(b, len(q.recalled))
	for _, token := range q.recalled {
		b = wire.AppendUint(b, token)
	}
	b = q.bucket.append(q.breaker.append(b))
	f.b = appendIntake(b, q)
	return true
}

func (f *frameWriter) session(x *session) bool {
	b := wire.AppendUint(f.b, x.serial)
	b = wire.AppendBytes(b, x.id[:])
	b = wire.AppendBytes(b, x.secret[:])
	b = wire.AppendString(b, x.principal)
	b = wire.AppendUint(b, uint64(x.idleMillis))
	b = wire.AppendUint(b, x.epoch)
	b = wire.AppendBool(b, x.attached)
	b = wire.AppendString(b, x.node)
	b = wire.AppendBool(b, x.ending)
	b = wire.AppendInt(b, x.graceAt)
	b = wire.AppendInt(b, x.idleAt)
	b = wire.AppendUint(b, x.judged)
	b = wire.AppendUint(b, x.answered)
	b = wire.AppendUint(b, x.lastOrdered)
	b = wire.AppendArrayLen(b, len(x.kept))
	for i := range x.kept {
		b = x.kept[i].append(b)
	}
	f.b = b
	return true
}

func (k *kept) append(b []byte) []byte {
	for _, v := range [...]uint64{k.number, k.index, k.value, uint64(k.position), uint64(k.retry),
		uint64(k.items), uint64(k.code), uint64(k.cause)} {
		b = wire.AppendUint(b, v)
	}
	b = wire.AppendString(b, k.detail)
	b = wire.AppendArrayLen(b, len(k.verdicts))
	for _, v := range k.verdicts {
		b = wire.AppendUint(b, uint64(v.Code))
		b = wire.AppendUint(b, uint64(v.Cause))
		b = wire.AppendUint(b, uint64(v.RetryAfterMillis))
		b = wire.AppendUint(b, v.FirstIndex)
		b = wire.AppendUint(b, uint64(v.FirstPosition))
	}
	return b
}

func (f *frameWriter) consumer(c *consumer) bool {
	b := f.b
	for _, v := range [...]uint64{c.serial, c.session, c.queue, uint64(c.number), uint64(c.creditMessages),
		uint64(c.creditBytes), uint64(c.concurrency), uint64(c.leaseMillis)} {
		b = wire.AppendUint(b, v)
	}
	b = wire.AppendBool(b, c.noAck)
	b = wire.AppendBool(b, c.closing)
	b = wire.AppendUint(b, c.turn)
	b = wire.AppendUint(b, c.kept)
	b = wire.AppendInt(b, c.armedAt)
	b = wire.AppendUint(b, c.assigned)
	b = wire.AppendUint(b, c.taken)
	b = wire.AppendArrayLen(b, len(c.sizes))
	for _, n := range c.sizes {
		b = wire.AppendUint(b, uint64(n))
	}
	f.b = b
	return true
}

// owner of messages: a queue, or junk.
type owner struct {
	junk   bool
	number uint64
}

func (f *frameWriter) owner(o owner) {
	f.b = wire.AppendBool(f.b, o.junk)
	f.b = wire.AppendUint(f.b, o.number)
}

func (f *frameWriter) lanes(o owner, h *shelf) bool {
	h.eachLane(func(n uint32, l *lane) bool { return f.lane(o, n, l) })
	return f.err == nil
}

// lane writes the waiting messages in chunks of chunkMax from the front.
func (f *frameWriter) lane(o owner, n uint32, l *lane) bool {
	var c chunk
	var at cursor
	write := func() bool {
		if c.count == 0 || !f.item(tagWaiting) {
			return f.err == nil
		}
		f.owner(o)
		f.b = wire.AppendUint(f.b, uint64(n))
		f.b = wire.AppendUint(f.b, c.first)
		f.b = wire.AppendUint(f.b, uint64(c.count))
		f.b = wire.AppendBytes(f.b, c.data)
		c, at = chunk{data: c.data[:0]}, cursor{}
		return true
	}
	l.each(func(place uint64, m packed) bool {
		if c.count == chunkMax && !write() {
			return false
		}
		c.append(&at, place, m)
		return true
	})
	return write()
}

// The parts of a shelf that hold messages with state of their own.
const (
	partReturned = 1
	partLeased   = 2
	partParked   = 3
	partWaiting  = 4
)

func (f *frameWriter) shelf(o owner, h *shelf) bool {
	h.eachReturned(func(place uint64, m message) bool { return f.message(o, partReturned, place, &m) })
	h.leased.Scan(func(place uint64, l lease) bool {
		if !f.message(o, partLeased, place, &l.message) {
			return false
		}
		f.b = wire.AppendUint(f.b, l.token)
		f.b = wire.AppendUint(f.b, l.consumer)
		f.b = wire.AppendUint(f.b, uint64(l.millis))
		return true
	})
	h.parked.Scan(func(place uint64, m message) bool { return f.message(o, partParked, place, &m) })
	h.waiting.Scan(func(place uint64, m message) bool { return f.message(o, partWaiting, place, &m) })
	return f.err == nil
}

func (f *frameWriter) message(o owner, part uint64, place uint64, m *message) bool {
	if !f.item(tagMessage) {
		return false
	}
	f.owner(o)
	b := f.b
	for _, v := range [...]uint64{part, place, m.index, uint64(m.position), uint64(m.wall.int64()), uint64(m.size),
		uint64(m.attempts), uint64(m.failures), m.lastToken, uint64(m.lastEnd),
		uint64(m.at.int64()), uint64(m.expires.int64()), uint64(m.line), uint64(m.flags)} {
		b = wire.AppendUint(b, v)
	}
	f.b = m.more.append(b)
	return true
}

func (m *more) append(b []byte) []byte {
	if m == nil {
		return wire.AppendNil(b)
	}
	b = appendAttempts(b, m.history)
	b = wire.AppendUint(b, uint64(m.forgotten))
	d := m.death
	if d == nil {
		return wire.AppendNil(b)
	}
	b = wire.AppendString(b, d.Queue)
	b = wire.AppendString(b, d.Reason)
	b = wire.AppendUint(b, uint64(d.Attempts))
	b = wire.AppendUint(b, uint64(d.Failures))
	b = wire.AppendString(b, d.Error)
	b = wire.AppendUint(b, uint64(d.AtMillis))
	b = appendAttempts(b, d.History)
	return wire.AppendUint(b, uint64(d.Forgotten))
}

func appendAttempts(b []byte, all []Attempt) []byte {
	b = wire.AppendArrayLen(b, len(all))
	for i := range all {
		a := &all[i]
		b = wire.AppendUint(b, uint64(a.AtMillis))
		b = wire.AppendBytes(b, a.Session[:])
		b = wire.AppendUint(b, uint64(a.Consumer))
		b = wire.AppendUint(b, a.Token)
		b = wire.AppendString(b, a.Error)
	}
	return b
}

func (p *Snapshot) writeBodies(f *frameWriter) {
	var at uint64
	err := p.bodies.Each(func(index uint64, _ int, _ uint64) error {
		at = index
		return nil
	}, func(position uint32, data []byte) error {
		if f.item(tagBody) {
			f.b = wire.AppendUint(f.b, at)
			f.b = wire.AppendUint(f.b, uint64(position))
			f.b = wire.AppendBytes(f.b, data)
		}
		return f.err
	})
	if f.err == nil {
		f.err = err
	}
}
