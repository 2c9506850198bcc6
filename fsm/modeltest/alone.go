package modeltest

// A message that was blamed for a crash is handed out only as its consumer's
// single unsettled one. If nobody holds nothing, one consumer is kept for it.

// secluded: the consumer holds a message alone, or waits for one.
func (c *consumer) secluded() bool {
	for _, msg := range c.held {
		if msg.alone {
			return true
		}
	}
	return c.waits() != nil
}

// waits is the message that the consumer is kept for.
func (c *consumer) waits() *message {
	for _, msg := range c.queue.messages {
		if msg.reserved == c {
			return msg
		}
	}
	return nil
}

// pickAlone: who holds nothing, else whose turn it is, to be kept for it. Of a
// consumer without acks nobody is kept, and it needs room as always.
func (q *queue) pickAlone(size uint64) *consumer {
	var all []*consumer
	for _, c := range q.round {
		if q.mayHave(c) && (!c.asked.NoAck || c.room(size) && !q.breaker.probing()) {
			all = append(all, c)
		}
	}
	for _, c := range all {
		if len(c.held) == 0 {
			return c
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

func (m *Model) reserve(msg *message, c *consumer) {
	msg.reserved = c
	m.offer(c)
}

// reservation is a message whose consumer has settled the rest by now.
func (q *queue) reservation() (*message, *consumer) {
	for _, msg := range q.messages {
		if c := msg.reserved; c != nil && len(c.held) == 0 {
			return msg, c
		}
	}
	return nil, nil
}

// release lets a message go that the consumer was kept for.
func (m *Model) unreserve(c *consumer) {
	if msg := c.waits(); msg != nil {
		msg.reserved = nil
	}
	m.offer(c)
}
