package modeltest

import "slices"

// servable is the message of a line that could be handed out now: its front,
// unless its group is with somebody who cannot have it.
func (q *queue) servable(l *line) *message {
	msg := q.front(l)
	if msg == nil {
		return nil
	}
	c := q.holder(l)
	switch {
	case l.group == "", c == nil:
	case l.given >= q.settings.GroupBatch, !slices.Contains(q.round, c), !c.room(msg.size()), !q.mayHave(c):
		return nil
	}
	return msg
}

// choose the message that is next: of the tenant whose turn it is, by
// priority, then by place; now and then of a lower priority.
func (q *queue) choose() *message {
	tenant := ""
	if q.settings.Fair {
		if len(q.ring) == 0 {
			return nil
		}
		tenant = q.ring[0].tenant
	}
	first, lower := q.best(tenant)
	if first == nil {
		return nil
	}
	if n := q.settings.StarvationGuard; lower != nil && n > 0 && q.guard[tenant] >= n-1 {
		return lower
	}
	return first
}

// best finds, of what a tenant has, the first of the highest priority, and the
// first of all below that.
func (q *queue) best(tenant string) (first, lower *message) {
	var all []*message
	for _, l := range q.lines {
		if msg := q.servable(l); msg != nil && (!q.settings.Fair || l.tenant == tenant) {
			all = append(all, msg)
		}
	}
	for _, msg := range all {
		if first == nil || before(msg, first) {
			first = msg
		}
	}
	for _, msg := range all {
		if msg.line.priority < first.line.priority && (lower == nil || msg.place < lower.place) {
			lower = msg
		}
	}
	return first, lower
}

func before(a, b *message) bool {
	if a.line.priority != b.line.priority {
		return a.line.priority > b.line.priority
	}
	return a.place < b.place
}

// served counts the hand-outs that passed lower priorities over, and ends the
// tenant's turn when its weight is used.
func (q *queue) served(msg *message) {
	if msg.reserved != nil {
		return
	}
	tenant := ""
	if q.settings.Fair {
		tenant = msg.line.tenant
		defer q.tookTurn()
	}
	first, lower := q.best(tenant)
	switch {
	case lower == nil, msg != first:
		delete(q.guard, tenant)
	case q.settings.StarvationGuard > 0:
		q.guard[tenant]++
	}
}

// pick the consumer that gets a message: of a group, who has it or had it
// last; else whose turn it is.
func (q *queue) pick(msg *message) *consumer {
	can := q.takers(msg.size())
	if l := msg.line; l.group != "" {
		for _, c := range can {
			if c == l.last {
				return c
			}
		}
		if q.holder(l) != nil {
			return nil
		}
	}
	if msg.alone {
		return q.pickAlone(msg.size())
	}
	if len(can) == 0 {
		return nil
	}
	return can[0]
}

// takers lists who has room for a message of this size, in turn.
func (q *queue) takers(size uint64) (all []*consumer) {
	for _, c := range q.round {
		if c.room(size) && q.mayHave(c) && !(c.asked.NoAck && q.breaker.probing()) {
			all = append(all, c)
		}
	}
	return all
}

// mayHave: who is not active in an exclusive queue is handed nothing.
func (q *queue) mayHave(c *consumer) bool { return !q.settings.Exclusive || c == q.active }

// elect the active consumer of an exclusive queue: the oldest, when there is
// none.
func (q *queue) elect() {
	was := q.active
	q.active = q.activeOf()
	if q.active != was {
		q.survey()
	}
}

func (q *queue) activeOf() (oldest *consumer) {
	if !q.settings.Exclusive {
		return nil
	}
	if a := q.active; a != nil && a.queue == q && (a.session.attached() && !a.closing || len(a.held) > 0) && q.has(a) {
		return a
	}
	for _, c := range q.consumers {
		if c.session.attached() && !c.closing && (oldest == nil || c.serial < oldest.serial) {
			oldest = c
		}
	}
	return oldest
}

func (q *queue) has(c *consumer) bool {
	for _, x := range q.consumers {
		if x == c {
			return true
		}
	}
	return false
}

// released: a lease of the line ended.
func (q *queue) released(l *line) {
	if q.holder(l) == nil {
		l.given = 0
	}
	q.survey()
}
