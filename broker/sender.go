package broker

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/fsm/body"
	"github.com/ferrymq/ferrymq/transport"
)

// send is the connection's sender: it turns what the entries did into frames.
// A frame is built when the one before it is in the outbox, and the outbox is
// bounded: so bodies are read only when there is room for them.
func (c *conn) send() {
	w := &eventWriter{c: c}
	for {
		c.mu.Lock()
		items, away, reattach := c.items, c.away, c.reattach
		c.items, c.away, c.reattach = nil, nil, nil
		c.mu.Unlock()
		err := c.sendControl(reattach, away)
		if err == nil {
			err = w.write(items)
		}
		if err != nil {
			c.stopSending(err)
			return
		}
		if len(items) > 0 {
			continue
		}
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
	}
}

// stopSending ends the connection: its client does not take what it is sent.
func (c *conn) stopSending(err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		c.b.log.Warn("client takes nothing, connection closed", "remote", c.t.RemoteAddr(), "after", c.b.o.SendTimeout)
	}
	if err := c.t.Close(); err != nil {
		c.b.log.Debug("close of a connection", "remote", c.t.RemoteAddr(), "err", err)
	}
}

func (c *conn) sendControl(reattach map[uint32]transport.GroupInfo, away *transport.GoAway) error {
	for handle, info := range reattach {
		body := transport.Reattach{Handle: handle, Group: info}
		if err := c.sendFrame(transport.Frame{Op: transport.OpReattach, Payload: body.AppendTo(nil)}); err != nil {
			return err
		}
	}
	if away == nil {
		return nil
	}
	return c.sendFrame(transport.Frame{Op: transport.OpGoAway, Payload: away.AppendTo(nil)})
}

func (c *conn) sendFrame(f transport.Frame) error {
	ctx, cancel := c.sendContext()
	defer cancel()
	return c.t.Send(ctx, f)
}

// eventWriter builds Events frames. It belongs to the sender.
type eventWriter struct {
	c        *conn
	e        transport.Events
	size     int
	requests int
	cost     int
	scratch  []byte
}

// scratchMax is how much memory a writer keeps between frames: a frame of
// this size and more has memory of its own, which the outbox takes over.
const scratchMax = 4 << 10

// write sends the items: one frame each, or several if one is too large for
// the client. Items with nothing but results go together with what follows: a
// result never comes before a delivery of an earlier entry.
func (w *eventWriter) write(items []*outItem) error {
	for i, item := range items {
		items[i] = nil
		for j := range item.results {
			r := &item.results[j]
			if err := w.room(resultBytes(r)); err != nil {
				return err
			}
			w.e.Results = append(w.e.Results, *r)
		}
		w.requests += item.requests
		w.cost += item.cost
		if err := w.deliveries(item); err != nil {
			return err
		}
		for _, x := range item.closed {
			if err := w.room(headBytes); err != nil {
				return err
			}
			w.e.Closed = append(w.e.Closed, x)
		}
		if err := w.answers(item); err != nil {
			return err
		}
		if len(w.e.Deliveries)+len(w.e.Closed)+len(w.e.Answers) > 0 {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

func (w *eventWriter) deliveries(item *outItem) error {
	for i := range item.deliveries {
		d := &item.deliveries[i]
		if d.handle.void.Load() {
			continue
		}
		size := len(d.head.Record) + d.ref.Len()
		if err := w.room(deliveryBytes(&d.head, size)); err != nil {
			return err
		}
		if d.head.Record == nil {
			record, err := d.ref.Load()
			if err != nil {
				w.c.b.bodyLost(&d.head, err)
				continue
			}
			d.head.Record = record
		}
		w.e.Deliveries = append(w.e.Deliveries, d.head)
	}
	return nil
}

func (w *eventWriter) answers(item *outItem) error {
	for i := range item.answers {
		a := &item.answers[i]
		if a.handle.void.Load() {
			continue
		}
		if err := w.room(headBytes + len(a.head.Record) + a.ref.Len()); err != nil {
			return err
		}
		if !loadAnswer(w.c.b, &a.head, a.ref) {
			continue
		}
		w.e.Answers = append(w.e.Answers, a.head)
		w.c.b.metrics.answers.WithLabelValues(a.head.Code.String()).Inc()
	}
	return nil
}

// loadAnswer fills in the record of an answer that has one, unless it came
// over a link and is there. A false means that there is nothing to send.
func loadAnswer(b *Broker, a *transport.Answer, ref body.Ref) bool {
	if a.Record != nil || ref.Len() == 0 {
		return true
	}
	record, err := ref.Load()
	if err != nil {
		b.log.Error("answer without body not sent", "group", a.Group, "index", a.Index, "position", a.Position, "err", err)
		return false
	}
	a.Record = record
	return true
}

// room sends the frame as it stands if n more bytes do not fit into it.
func (w *eventWriter) room(n int) error {
	items := w.items()
	if items > 0 && (w.size+n > w.c.frameMax || items >= transport.EventsItemsMax) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.size += n
	return nil
}

func (w *eventWriter) items() int {
	return len(w.e.Results) + len(w.e.Deliveries) + len(w.e.Closed) + len(w.e.Answers)
}

// flush sends the frame and counts the operations out that it answers.
func (w *eventWriter) flush() error {
	requests, cost := w.requests, w.cost
	w.requests, w.cost = 0, 0
	if w.items() > 0 {
		if err := w.frame(); err != nil {
			return err
		}
		w.c.b.metrics.delivered.Add(float64(len(w.e.Deliveries)))
		clear(w.e.Results)
		clear(w.e.Deliveries)
		clear(w.e.Answers)
		w.e.Answers = w.e.Answers[:0]
		w.e.Results, w.e.Deliveries, w.e.Closed = w.e.Results[:0], w.e.Deliveries[:0], w.e.Closed[:0]
	}
	w.size = 0
	if requests > 0 {
		w.c.sent(requests, cost)
	}
	return nil
}

func (w *eventWriter) frame() error {
	ctx, cancel := w.c.sendContext()
	defer cancel()
	if w.size <= scratchMax {
		w.scratch = w.e.AppendTo(w.scratch[:0])
		return w.c.t.Send(ctx, transport.Frame{Op: transport.OpEvents, Payload: w.scratch})
	}
	b, start := transport.BeginFrame(make([]byte, 0, w.size+transport.HeaderSize+headBytes))
	return w.c.t.SendBuilt(ctx, transport.EndFrame(w.e.AppendTo(b), start, transport.OpEvents, 0, 0))
}
