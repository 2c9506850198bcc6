package client

import "github.com/ferrymq/ferrymq/transport"

// The outbox's half of answers: who learns what became of a batch.

// finish ends a batch that was sent: with its result, or with err.
func (o *outbox) finish(b *batch, r *transport.Result, group uint32, node string, err *Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b.finished = true
	l := b.lane
	l.inFlight--
	o.list(l)
	o.dropIdle(l)
	if !b.over {
		b.over, b.err, b.group, b.node = true, err, group, node
		if r != nil {
			b.result = *r
		}
	}
	o.settleBatch(b)
}

// settleBatch tells a finished batch's callers, or lets the notifier do so.
func (o *outbox) settleBatch(b *batch) {
	if b.async {
		o.free(b.owed, b.owedBytes)
		b.owed, b.owedBytes = 0, 0
		if b.notified == len(b.messages) {
			o.retire(b)
		} else {
			signal(o.notice)
		}
		return
	}
	for i := range b.messages {
		if m := &b.messages[i]; m.call != nil {
			receipt, err := b.outcome(i)
			m.call.tell(m.index, receipt, err)
		}
	}
	o.free(len(b.messages), len(b.records))
	o.retire(b)
}

// retire ends a batch that everybody was told of.
func (o *outbox) retire(b *batch) {
	if b.gen != nil {
		o.barrier.leave(b.gen)
	}
	b.recycle()
}

// tell fills in one result.
func (c *call) tell(i int, r Receipt, err error) {
	c.results[i] = PublishResult{Receipt: r, Err: err}
	c.places[i] = place{}
	c.left--
	if c.left == 0 {
		close(c.over)
	}
}

// abandon ends a call whose context did. What still waits is taken back for
// certain; what was sent has an unknown outcome.
func (o *outbox) abandon(c *call, queue string, cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, p := range c.places {
		switch {
		case p.batch == nil:
		case p.batch.sent:
			p.batch.messages[p.index].call = nil
			c.tell(i, Receipt{}, localError(transport.CodeUnknownOutcome, "publish", queue, "", cause))
		default:
			m := &p.batch.messages[p.index]
			m.call = nil
			p.batch.gone++
			o.free(1, m.size)
			c.tell(i, Receipt{}, o.notSent("publish", queue, cause))
		}
	}
}

// notSent is the error of what was never sent: certainly not applied.
func (o *outbox) notSent(op, resource string, cause error) *Error {
	return localError(transport.CodeTimeout, op, resource, "", join(cause, o.reason))
}

// close refuses everything from now on and ends what waits with err. What was
// sent is ended by the session, through finish.
func (o *outbox) close(err *Error) {
	o.mu.Lock()
	if o.err != nil {
		o.mu.Unlock()
		return
	}
	o.err = err
	for _, l := range o.lanes {
		o.closeLane(l, err)
	}
	settles, controls := o.settles.waiting, o.controls
	o.ready, o.settles.waiting, o.controls = nil, nil, nil
	o.mu.Unlock()

	for _, s := range settles {
		o.endSettle(s, err.about(s.op, s.d.Queue))
	}
	for _, c := range controls {
		c.end(nil, err.about(c.name, c.resource))
	}
	signal(o.notice)
	signal(o.room)
}

// closeLane ends what waits in a lane.
func (o *outbox) closeLane(l *lane, err *Error) {
	for _, b := range l.batches {
		b.compact()
		b.over, b.finished, b.err = true, true, err.about("publish", l.queue)
		if !b.async {
			o.settleBatch(b)
		}
	}
	l.batches, l.listed = nil, false
}
