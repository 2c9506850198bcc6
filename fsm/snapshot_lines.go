package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// tenants writes those that there is something to say of.
func (f *frameWriter) tenants(q *queue) bool {
	if q.lines == nil {
		return f.err == nil
	}
	q.lines.tenants.Scan(func(_ string, t *tenant) bool {
		if t.weight == 0 && t.guard == 0 && t.turn == 0 {
			return true
		}
		if !f.item(tagTenant) {
			return false
		}
		b := wire.AppendUint(f.b, q.incarnation)
		b = wire.AppendString(b, t.name)
		for _, v := range [...]uint64{uint64(t.weight), uint64(t.guard), t.turn, uint64(t.used)} {
			b = wire.AppendUint(b, v)
		}
		f.b = b
		return true
	})
	return f.err == nil
}

func (f *frameWriter) lines(q *queue) bool {
	if q.lines == nil {
		return f.err == nil
	}
	q.lines.all.Scan(func(n uint32, l *line) bool {
		if !f.item(tagLine) {
			return false
		}
		b := wire.AppendUint(f.b, q.incarnation)
		b = wire.AppendUint(b, uint64(n))
		b = wire.AppendUint(b, uint64(l.priority))
		b = wire.AppendString(b, l.tenant)
		b = wire.AppendString(b, l.group)
		b = wire.AppendUint(b, uint64(l.given))
		b = wire.AppendUint(b, l.last)
		b = wire.AppendBool(b, l.parked)
		f.b = wire.AppendBool(b, l.condemned)
		return true
	})
	return f.err == nil
}

// linesOf returns the lines of the queue that the next item belongs to.
func (x *restorer) linesOf(c *wire.Cursor) (*queue, error) {
	incarnation := c.Uint()
	q, ok := x.s.queues.Get(incarnation)
	if !ok || q.deadLetter == 0 {
		return nil, fmt.Errorf("lines of queue %d", incarnation)
	}
	if q.lines == nil {
		q.stock()
		q.lines = newLines(x.s.gen)
	}
	return q, nil
}

func (x *restorer) tenant(c *wire.Cursor) error {
	q, err := x.linesOf(c)
	if err != nil {
		return err
	}
	name := c.String()
	t := &tenant{gen: x.s.gen, name: name, weight: c.Uint32(), guard: c.Uint32(), turn: readCounter(c), used: c.Uint32()}
	last, _, _ := q.lines.tenants.Max()
	if name < last || t.weight == 0 && t.guard == 0 && t.turn == 0 {
		return fmt.Errorf("tenant %q of queue %d after %q", name, q.incarnation, last)
	}
	q.lines.tenants.Set(name, t)
	if t.turn != 0 {
		q.lines.ring.Set(t.turn, name)
	}
	return nil
}

func (x *restorer) line(c *wire.Cursor) error {
	q, err := x.linesOf(c)
	if err != nil {
		return err
	}
	l := &line{gen: x.s.gen, number: uint32(c.UintMax(MaxGroups)), priority: c.Uint8(), tenant: c.String(), group: c.String(),
		given: c.Uint32(), last: readCounter(c), parked: c.Bool(), condemned: c.Bool()}
	if last, _, _ := q.lines.all.Max(); last >= l.number {
		return fmt.Errorf("line %d of queue %d after %d", l.number, q.incarnation, last)
	}
	if fault := q.lineFault(l); fault != "" {
		return fmt.Errorf("line %d of queue %d: %s", l.number, q.incarnation, fault)
	}
	if _, twice := q.lines.named[l.key()]; twice {
		return fmt.Errorf("line %d of queue %d is there twice", l.number, q.incarnation)
	}
	q.lines.add(l)
	return nil
}

// lineFault says why a queue cannot have such a line.
func (q *queue) lineFault(l *line) string {
	switch {
	case l.priority > 31 || len(l.tenant) > MaxKeyBytes || len(l.group) > MaxKeyBytes:
		return "key is out of bounds"
	case l.tenant != "" && !q.settings.Fair:
		return "tenant of a queue that is not fair"
	case l.group == "" && l.tenant == "" && l.priority == DefaultPriority:
		return "it is the plain one"
	case l.group == "" && (l.given != 0 || l.last != 0 || l.parked || l.condemned):
		return "it is no group"
	case l.given > MaxGroupBatch:
		return "batch is out of bounds"
	}
	return ""
}

// find notes what is ready in a line.
func (o *lines) find(l *line) {
	l.stack.each(func(place uint64, _ message) bool {
		o.where.Set(place, l.number)
		return true
	})
}

// deriveLines counts what is in the lines of a queue and lists them. What
// snapshots say of tenants is not changed, but checked later.
func (s *State) deriveLines(q *queue) (err error) {
	o := q.lines
	count := func(place uint64, m *message, with func(*line)) bool {
		if m.line == 0 {
			return true
		}
		var l *line
		if o != nil {
			l, _ = o.all.Get(m.line)
		}
		if l == nil {
			err = fmt.Errorf("message at place %d of queue %d: line %d is missing", place, q.incarnation, m.line)
			return false
		}
		l.messages++
		o.messages++
		with(l)
		return true
	}
	q.leased.Scan(func(place uint64, m lease) bool {
		return count(place, &m.message, func(l *line) { l.leased++ })
	})
	if err == nil {
		q.waiting.Scan(func(place uint64, m message) bool {
			return count(place, &m, func(l *line) { l.wait(place, &m) })
		})
	}
	if err == nil {
		q.parked.Scan(func(place uint64, m message) bool { return count(place, &m, func(*line) {}) })
	}
	if o == nil || err != nil {
		return err
	}
	o.findFree()
	front, _, ok := q.front()
	o.list(&o.plain, o.tenant(""), 0, DefaultPriority, front, ok)
	o.all.Scan(func(n uint32, l *line) bool {
		ready := l.stack.ready()
		l.messages += ready
		o.messages += ready
		o.find(l)
		if c, ok := s.consumers.Get(l.last); l.leased > 0 && l.group != "" && (!ok || c.queue != q.incarnation) {
			err = fmt.Errorf("line %d of queue %d is leased by consumer %d", n, q.incarnation, l.last)
			return false
		}
		at, listed := s.survey(q, l)
		o.list(&l.spot, o.tenant(l.tenant), n, l.priority, at, listed)
		return true
	})
	return err
}
