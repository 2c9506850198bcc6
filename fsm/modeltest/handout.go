package modeltest

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/ferrymq/ferrymq/fsm"
)

// delivery is the effect that hands a leased message to its holder.
func (c *consumer) delivery(msg *message) fsm.Effect {
	return fsm.Effect{
		Kind: fsm.EffectDeliver, Session: c.session.id, Epoch: c.session.epoch, Node: c.session.node,
		Consumer: c.number, Incarnation: c.queue.incarnation, Place: msg.place, Token: msg.token,
		ID: msg.id, Attempt: msg.attempts, Failures: msg.failures, LeaseMillis: uint32(msg.length),
		EnqueuedMillis: msg.entered, Death: msg.death,
	}
}

// closed is the effect that tells a session that its consumer ended.
func (c *consumer) closed(why fsm.Code) fsm.Effect {
	return fsm.Effect{
		Kind: fsm.EffectClosed, Code: why, Session: c.session.id,
		Epoch: c.session.epoch, Node: c.session.node, Consumer: c.number,
	}
}

// commandEffects takes the effects of the commands off the front of those that
// the machine had, and compares them.
func (m *Model) commandEffects(got *fsm.Applied) error {
	if len(got.Effects) < len(m.effects) {
		return fmt.Errorf("%d effects, the commands alone have %d", len(got.Effects), len(m.effects))
	}
	for i, want := range m.effects {
		if err := m.sameEffect(got.Effects[i], want); err != nil {
			return fmt.Errorf("effect %d: %w", i, err)
		}
	}
	got.Effects = got.Effects[len(m.effects):]
	return nil
}

// sameEffect compares everything, and the body with the record published.
func (m *Model) sameEffect(got, want fsm.Effect) error {
	if want.Kind == fsm.EffectDeliver {
		record, err := got.Body.Load()
		if err != nil {
			return err
		}
		msg := m.incarnations[want.Incarnation].find(want.Place)
		if msg != nil && !bytes.Equal(record, msg.record) {
			return fmt.Errorf("message %+v has another body than was published", want.ID)
		}
	}
	want.Body = got.Body
	got.Death = withoutHistory(got.Death)
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	return nil
}

// handouts follows what the machine handed out and judges each step, then
// looks for something that it held back.
func (m *Model) handouts(effects []fsm.Effect) error {
	for i, e := range effects {
		if err := m.handout(e); err != nil {
			return fmt.Errorf("hand-out %d, %+v: %w", i, e, err)
		}
	}
	for _, q := range m.queueList() {
		if err := q.heldBack(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) handout(e fsm.Effect) error {
	q := m.incarnations[e.Incarnation]
	s := m.sessions[e.Session]
	if e.Kind != fsm.EffectDeliver || q == nil || q.gone || s == nil {
		return fmt.Errorf("nothing that can be handed out")
	}
	c := s.consumers[e.Consumer]
	if c == nil || c.queue != q || !c.eligible() {
		return fmt.Errorf("the consumer can take nothing: %+v", c)
	}
	msg := q.front()
	if msg == nil || msg.place != e.Place {
		return fmt.Errorf("not the first ready message of its queue: %+v", msg)
	}
	if !c.room(msg.size) {
		return fmt.Errorf("credit exceeded: holds %d messages, %d bytes", len(c.held), c.heldBytes())
	}
	if msg.attempts == 0 {
		if msg.place < q.first {
			return fmt.Errorf("a first delivery after that of place %d", q.first)
		}
		q.first = msg.place
	}
	msg.attempts++
	if c.asked.NoAck {
		return m.assign(c, msg, e)
	}
	return m.lease(c, msg, e)
}

// lease gives the message to a consumer with acks.
func (m *Model) lease(c *consumer, msg *message, e fsm.Effect) error {
	if e.Token <= m.token {
		return fmt.Errorf("token %d after %d", e.Token, m.token)
	}
	m.token = e.Token
	length := int64(c.asked.LeaseMillis)
	if length == 0 {
		length = int64(c.queue.settings.LeaseMillis)
	}
	msg.status, msg.holder, msg.token = leased, c, e.Token
	msg.length, msg.deadline = length, m.clock.LeaseMillis+length
	c.held = append(c.held, msg)
	return m.sameEffect(e, c.delivery(msg))
}

// assign gives the message to a consumer without acks; it is gone at once.
func (m *Model) assign(c *consumer, msg *message, e fsm.Effect) error {
	want := c.delivery(msg)
	c.assigned++
	want.Number, want.Token, want.LeaseMillis = c.assigned, 0, 0
	if err := m.sameEffect(e, want); err != nil {
		return err
	}
	c.untaken = append(c.untaken, msg.size)
	c.queue.remove(msg)
	c.queue.acked++
	return nil
}

// front is the ready message with the lowest place.
func (q *queue) front() *message {
	for _, msg := range q.messages {
		if msg.status == ready {
			return msg
		}
	}
	return nil
}

// eligible tells whether the consumer takes part in hand-outs at all.
func (c *consumer) eligible() bool {
	return c.session.attached() && !c.closing && !c.queue.paused
}

// room tells whether a message of this size keeps the consumer within its
// credit. A consumer that holds nothing can take any one message.
func (c *consumer) room(size uint64) bool {
	n := len(c.held) + len(c.untaken)
	return n == 0 || n < int(c.asked.CreditMessages) && c.heldBytes()+size <= uint64(c.asked.CreditBytes)
}

// heldBack finds a message that could have been handed out and was not.
func (q *queue) heldBack() error {
	msg := q.front()
	if msg == nil || q.gone {
		return nil
	}
	for _, c := range q.consumers {
		if c.eligible() && c.room(msg.size) {
			return fmt.Errorf("%s: place %d was not handed out though consumer %d of %x can take it",
				q.name, msg.place, c.number, c.session.id[:2])
		}
	}
	return nil
}

// withoutHistory leaves out what the model does not keep.
func withoutHistory(d *fsm.Death) *fsm.Death {
	if d == nil {
		return nil
	}
	c := *d
	c.History, c.Forgotten = nil, 0
	return &c
}
