package client

import (
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// run is neighbouring messages of one batch in the order of all asynchronous
// publishes of a connection.
type run struct {
	batch    *batch
	from, to int
}

// notice is a callback of a settle.
type notice struct {
	done func(error)
	err  error
	gen  *generation
}

// ordered appends message i of the batch to the publish order.
func (o *outbox) ordered(b *batch, i int) {
	if n := len(o.runs); n > 0 && o.runs[n-1].batch == b && o.runs[n-1].to == i {
		o.runs[n-1].to = i + 1
		return
	}
	o.runs = append(o.runs, run{b, i, i + 1})
}

// notify runs the callbacks until the outbox is closed and everybody is told.
// It is the goroutine that users' callbacks run on. What is to be told after
// that begins it anew, see tellSettle.
func (o *outbox) notify() {
	for {
		told, r, ok, closed := o.nextNotice()
		for _, n := range told {
			n.done(n.err)
		}
		if ok {
			o.tellRun(r)
		}
		switch {
		case ok || len(told) > 0:
			o.noticed(told, r, ok)
		case closed:
			return
		default:
			<-o.notice
		}
	}
}

// nextNotice takes the settles' callbacks and the oldest run, if that is over.
// Its room is free before its callbacks run, so that each may publish again.
func (o *outbox) nextNotice() (told []notice, r run, ok, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	told, o.told = o.told, nil
	if len(o.runs) > 0 && o.runs[0].batch.over {
		r, ok = o.runs[0], true
		o.runs = o.runs[1:]
		o.freeRun(r)
	}
	closed = o.err != nil && len(o.runs) == 0
	o.notified = closed && !ok && len(told) == 0
	return told, r, ok, closed
}

// tellSettle leaves a settle's callback to the notifier. A settle that was
// under way when the connection closed, or came later, may find it ended. The
// mutex is held.
func (o *outbox) tellSettle(n notice) {
	o.told = append(o.told, n)
	if o.notified {
		o.notified = false
		go o.notify()
	}
	signal(o.notice)
}

func (o *outbox) freeRun(r run) {
	bytes := 0
	for _, m := range r.batch.messages[r.from:r.to] {
		bytes += m.size
	}
	if r.batch.finished {
		o.free(r.to-r.from, bytes)
	} else {
		r.batch.owed += r.to - r.from
		r.batch.owedBytes += bytes
	}
}

// tellRun needs no lock: a batch that is over no longer changes.
func (o *outbox) tellRun(r run) {
	for i := r.from; i < r.to; i++ {
		if done := r.batch.messages[i].done; done != nil {
			done(r.batch.outcome(i))
		}
	}
}

func (o *outbox) noticed(told []notice, r run, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range told {
		o.barrier.leave(n.gen)
	}
	if ok {
		r.batch.notified += r.to - r.from
		if r.batch.finished && r.batch.notified == len(r.batch.messages) {
			o.retire(r.batch)
		}
	}
}

// expire ends the asynchronous batches whose time is over and returns when
// the next one's will be, zero for never. One that was sent stays in the
// session until it is answered; its users are told that they will not know.
func (o *outbox) expire(now time.Time) (next time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.runs {
		b := r.batch
		if b.over || b.deadline.IsZero() { // nobody waits to hear of what is unconfirmed
			continue
		}
		if now.Before(b.deadline) {
			return b.deadline
		}
		b.over = true
		if b.sent {
			b.err = localError(transport.CodeUnknownOutcome, "publish", b.lane.queue, "no answer in time", nil)
		} else {
			b.finished = true
			b.err = o.notSent("publish", b.lane.queue, nil)
			o.unwait(b)
		}
		signal(o.notice)
	}
	return time.Time{}
}
