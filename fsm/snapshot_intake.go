package fsm

import (
	"bytes"
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// What a snapshot has of topics, and of how messages come into queues.

func (f *frameWriter) topic(t *topic) bool {
	b := wire.AppendUint(f.b, t.incarnation)
	b = wire.AppendString(b, t.name)
	b = appendTopicSettings(b, &t.settings)
	b = wire.AppendUint(b, t.published)
	f.b = wire.AppendUint(b, t.duplicates)
	return true
}

func (x *restorer) topic(c *wire.Cursor) error {
	s := x.s
	t := &topic{gen: s.gen, incarnation: c.Uint(), name: c.String()}
	t.settings.read(c)
	t.published, t.duplicates = c.Uint(), c.Uint()
	if last, _, ok := s.topics.Max(); ok && last >= t.incarnation {
		return fmt.Errorf("topic %d after %d", t.incarnation, last)
	}
	s.topics.Set(t.incarnation, t)
	s.topicNames.Set(t.name, t.incarnation)
	x.windows[t.incarnation] = &t.window
	return nil
}

func appendIntake(b []byte, q *queue) []byte {
	for _, v := range [...]uint64{q.overflowed, q.missed, q.duplicates} {
		b = wire.AppendUint(b, v)
	}
	sub := q.subscription
	if sub == nil {
		return wire.AppendNil(b)
	}
	b = wire.AppendUint(b, sub.topic)
	b = wire.AppendString(b, sub.filter)
	b = wire.AppendBool(b, sub.required)
	return wire.AppendUint(b, sub.session)
}

func (x *restorer) intake(c *wire.Cursor, q *queue) {
	q.overflowed, q.missed, q.duplicates = c.Uint(), c.Uint(), c.Uint()
	if !c.Nil() {
		q.subscription = &subscription{topic: c.Uint(), filter: c.String(), required: c.Bool(), session: c.Uint()}
	}
	x.windows[q.incarnation] = &q.window
}

// window writes the message ids of a queue or topic, by id.
func (f *frameWriter) window(incarnation uint64, w *window) bool {
	if w == nil {
		return true
	}
	w.ids.Scan(func(x seen) bool {
		if !f.item(tagSeen) {
			return false
		}
		b := wire.AppendUint(f.b, incarnation)
		b = wire.AppendBytes(b, x.id[:])
		b = wire.AppendBytes(b, x.content[:])
		b = wire.AppendUint(b, x.index)
		b = wire.AppendUint(b, uint64(x.position))
		f.b = wire.AppendInt(b, x.due)
		return true
	})
	return f.err == nil
}

func (x *restorer) seen(c *wire.Cursor) error {
	incarnation := c.Uint()
	at := x.windows[incarnation]
	if at == nil {
		return fmt.Errorf("message id of %d, which is missing", incarnation)
	}
	var y seen
	readFixed(c, y.id[:])
	readFixed(c, y.content[:])
	y.index, y.position, y.due = c.Uint(), c.Uint32(), readDeadline(c)
	if c.Err() != nil {
		return c.Err()
	}
	if *at == nil {
		*at = newWindow()
	}
	w := *at
	if last, ok := w.ids.Max(); ok && bytes.Compare(last.id[:], y.id[:]) >= 0 || y.due <= 0 {
		return fmt.Errorf("message id of %d out of order, or without end", incarnation)
	}
	w.ids.Set(y)
	w.due.Set(y)
	if w.armedAt == 0 || y.due < w.armedAt {
		x.s.timers.move(timerDedup, incarnation, &w.armedAt, y.due)
	}
	return nil
}

// deriveTopics binds the subscriptions to what they belong to.
func (x *restorer) deriveTopics() (err error) {
	s := x.s
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		sub := q.subscription
		if _, taken := s.topics.Get(incarnation); taken {
			err = fmt.Errorf("queue and topic %d", incarnation)
		}
		if sub == nil || err != nil {
			return err == nil
		}
		t, ok := s.topics.Get(sub.topic)
		_, known := s.sessions.Get(sub.session)
		if !ok || sub.session != 0 && !known || q.deadLetter == 0 || wordsFault(sub.filter, true) != "" {
			err = fmt.Errorf("subscription %d to topic %d by %q", incarnation, sub.topic, sub.filter)
			return false
		}
		s.bind(t, q)
		return true
	})
	return err
}
