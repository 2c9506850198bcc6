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
		EnqueuedMillis: msg.entered, Request: msg.request, Death: msg.death,
	}
}

// closed tells a session that its consumer ended.
func (m *Model) closed(c *consumer, why fsm.Code) {
	e := fsm.Effect{
		Kind: fsm.EffectClosed, Code: why, Session: c.session.id,
		Epoch: c.session.epoch, Node: c.session.node, Consumer: c.number,
	}
	if m.inTail {
		m.late = append(m.late, e)
	} else {
		m.effects = append(m.effects, e)
	}
}

// expected takes the effects that commands and time must have out of those
// that the machine had, and compares them. What is left is hand-outs, and
// answers to requests, which hand-outs may have as well.
func (m *Model) expected(got []fsm.Effect) (rest, answers []fsm.Effect, err error) {
	var others []fsm.Effect
	for _, e := range got {
		if e.Kind == fsm.EffectAnswer {
			answers = append(answers, e)
		} else {
			others = append(others, e)
		}
	}
	if len(others) < len(m.effects) {
		return nil, nil, fmt.Errorf("%d effects, the commands alone have %d", len(others), len(m.effects))
	}
	for i, want := range m.effects {
		if err := m.sameEffect(others[i], want); err != nil {
			return nil, nil, fmt.Errorf("effect %d: %w", i, err)
		}
	}
	var late []fsm.Effect
	for _, e := range others[len(m.effects):] {
		if e.Kind == fsm.EffectDeliver {
			rest = append(rest, e)
		} else {
			late = append(late, e)
		}
	}
	if err := m.sameInAnyOrder(late, m.late); err != nil {
		return nil, nil, fmt.Errorf("what time does: %w", err)
	}
	return rest, answers, nil
}

func (m *Model) sameInAnyOrder(got, want []fsm.Effect) error {
	left := append([]fsm.Effect{}, want...)
	for _, e := range got {
		found := false
		for i, w := range left {
			if m.sameEffect(e, w) == nil {
				left, found = append(left[:i], left[i+1:]...), true
				break
			}
		}
		if !found {
			return fmt.Errorf("got %+v, want one of %+v", e, left)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("missing: %+v", left[0])
	}
	return nil
}

// sameEffect compares everything, and the body with the record published.
func (m *Model) sameEffect(got, want fsm.Effect) error {
	record, err := m.bodyOf(want)
	if err != nil {
		return err
	}
	if record != nil {
		b, err := got.Body.Load()
		if err != nil {
			return err
		}
		if !bytes.Equal(b, record) {
			return fmt.Errorf("%+v has another body than was published", want.ID)
		}
	}
	want.Body = got.Body
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	return nil
}

// bodyOf is the record that an effect brings; nil: none.
func (m *Model) bodyOf(e fsm.Effect) ([]byte, error) {
	switch {
	case e.Kind == fsm.EffectDeliver:
		q := m.incarnations[e.Incarnation]
		if q == nil {
			return nil, fmt.Errorf("delivered from no queue")
		}
		if msg := q.find(e.Place); msg != nil {
			return msg.draft.Record, nil
		}
	case e.Kind == fsm.EffectAnswer && e.ID != (fsm.ID{}):
		if s := m.sessions[e.Session]; s != nil && s.requests[e.Number] != nil {
			return s.requests[e.Number].body, nil
		}
	}
	return nil, nil
}
