package fsm

// choice is what to hand out next.
type choice struct {
	line    uint32
	place   uint64
	message message
	guarded bool // a lower priority's turn
	passed  bool // a lower priority has something too
	tenant  string
}

// next chooses what to hand out: of the tenant whose turn it is, the highest
// priority, and within it the line whose front has waited longest; now and
// then that of the lower priorities that has waited longest.
func (q *queue) next() (c choice, ok bool) {
	o := q.lines
	if o == nil {
		c.place, c.message, ok = q.front()
		return c, ok
	}
	if q.settings.Fair {
		if _, c.tenant, ok = o.ring.Min(); !ok {
			return c, false
		}
	}
	t, _ := o.tenants.Get(c.tenant)
	if _, c.line, ok = t.ready.Min(); !ok {
		return c, false
	}
	if n := q.settings.StarvationGuard; n > 0 && t.levels() {
		if c.passed = true; t.guard >= uint32(n)-1 {
			c.guarded, c.line = true, t.below()
		}
	}
	c.place, c.message, _ = q.stackOf(c.line).front()
	c.message.line = c.line
	return c, true
}

// stackOf is what is ready of a line, for looking at it.
func (h *shelf) stackOf(n uint32) *stack {
	if n == 0 {
		return &h.stack
	}
	l, _ := h.lines.all.Get(n)
	return &l.stack
}

// count notes a choice that was followed, before the message is taken.
func (q *queue) count(c *choice) {
	if q.lines == nil {
		return
	}
	t := q.lines.tenant(c.tenant)
	if c.passed && !c.guarded {
		t.guard++
	} else {
		t.guard = 0 // a lower one's turn, or nobody was passed by
	}
	if q.settings.Fair {
		t.used++
	}
}

// counted ends a turn that is over, after the message was taken.
func (q *queue) counted(c *choice) {
	if q.lines == nil || !q.settings.Fair {
		return
	}
	if t := q.lines.tenant(c.tenant); t != nil {
		q.lines.yield(t)
	}
}
