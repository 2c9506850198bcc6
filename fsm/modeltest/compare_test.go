package modeltest

import (
	"fmt"
	"reflect"

	"github.com/ferrymq/ferrymq/fsm"
)

// same compares everything that can be seen of a state with the model.
func same(m *Model, s *fsm.State) error {
	if s.Index() != m.index || s.Clock() != m.clock || s.Version() != m.version {
		return fmt.Errorf("index, clock, version are %d %v %d, want %d %v %d",
			s.Index(), s.Clock(), s.Version(), m.index, m.clock, m.version)
	}
	page, more := s.Queues("", "", fsm.MaxQueues)
	if len(page) != len(m.queues) || more {
		return fmt.Errorf("%d queues, want %d", len(page), len(m.queues))
	}
	for _, info := range page {
		q := m.queues[info.Name]
		if q == nil {
			return fmt.Errorf("a queue %q that must not be", info.Name)
		}
		if err := sameQueue(q, info, s); err != nil {
			return fmt.Errorf("queue %s: %w", q.name, err)
		}
	}
	return sameSessions(m, s)
}

func sameQueue(q *queue, got fsm.QueueInfo, s *fsm.State) error {
	want := fsm.QueueInfo{
		Name: q.name, Incarnation: q.incarnation, Settings: q.settings, Paused: q.paused,
		Ready: q.count(ready), Leased: q.count(leased), Parked: q.count(parked), Bytes: q.bytes(),
		Consumers: uint32(len(q.consumers)), Published: q.published, Acked: q.acked, Dead: q.dead, Purged: q.purged,
	}
	if q.dlq != nil {
		want.DeadLetter = q.dlq.name
	}
	if front := q.front(); front != nil {
		want.OldestReadyMillis = front.entered
	}
	if got != want {
		return fmt.Errorf("%+v, want %+v", got, want)
	}
	var listed []fsm.MessageInfo
	s.Messages(q.name, func(info fsm.MessageInfo) bool {
		listed = append(listed, info)
		return true
	})
	if len(listed) != len(q.messages) {
		return fmt.Errorf("%d messages are listed, want %d", len(listed), len(q.messages))
	}
	byPlace := map[uint64]fsm.MessageInfo{}
	for _, info := range listed {
		byPlace[info.Place] = info
	}
	for _, msg := range q.messages {
		got := byPlace[msg.place]
		got.Death = withoutHistory(got.Death)
		if want := msg.info(); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("message %+v, want %+v", got, want)
		}
	}
	return nil
}

func (msg *message) info() fsm.MessageInfo {
	info := fsm.MessageInfo{
		State: fsm.MessageState(msg.status), Place: msg.place, ID: msg.id, Bytes: uint32(msg.size),
		Attempts: msg.attempts, Failures: msg.failures, EnqueuedMillis: msg.entered, Death: msg.death,
	}
	if msg.status == leased {
		info.Token, info.Session, info.Consumer = msg.token, msg.holder.session.id, msg.holder.number
		info.DeadlineMillis, info.Extended = msg.deadline, msg.extended
	}
	return info
}

func sameSessions(m *Model, s *fsm.State) error {
	want := fsm.SessionCounts{Sessions: len(m.sessions)}
	for _, x := range m.sessions {
		want.Consumers += len(x.consumers)
		if x.attached() {
			want.Attached++
		}
		got, ok := s.Session(x.id)
		if !ok {
			return fmt.Errorf("session %x is not there", x.id[:2])
		}
		if want := x.info(); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("session %+v, want %+v", got, want)
		}
	}
	if got := s.Sessions(); got != want {
		return fmt.Errorf("sessions %+v, want %+v", got, want)
	}
	return nil
}

func (x *session) info() fsm.SessionInfo {
	info := fsm.SessionInfo{
		Session: x.id, Epoch: x.epoch, Node: x.node, Judged: x.judged, AnsweredThrough: x.answered,
		LastOrdered: x.ordered, KeptResults: len(x.kept), KeptItems: x.keptItems,
	}
	for _, c := range x.consumerList() {
		info.Consumers = append(info.Consumers, fsm.ConsumerInfo{
			Consumer: c.number, Incarnation: c.queue.incarnation, CreditMessages: c.asked.CreditMessages,
			CreditBytes: c.asked.CreditBytes, Concurrency: c.asked.Concurrency, NoAck: c.asked.NoAck,
			LeaseMillis: c.asked.LeaseMillis, Held: len(c.held) + len(c.untaken), HeldBytes: c.heldBytes(),
			Assigned: c.assigned, Taken: c.taken, Closing: c.closing,
		})
	}
	return info
}

// wakes tells whether the state asks for an entry in time for what the model
// waits for.
func wakes(m *Model, s *fsm.State) error {
	due, needs := int64(0), false
	sooner := func(at int64) {
		if due == 0 || at < due {
			due = at
		}
	}
	for _, x := range m.sessions {
		if !x.attached() {
			sooner(x.idleEnd)
		}
		for _, c := range x.consumers {
			for _, msg := range c.held {
				needs = true
				if x.attached() {
					sooner(msg.deadline)
				} else {
					sooner(x.graceEnd)
				}
			}
		}
	}
	at, ok := s.NextDeadline()
	if due != 0 && (!ok || at.LeaseMillis > max(m.clock.LeaseMillis, (due+9)/10*10)) {
		return fmt.Errorf("the next deadline is %d (%v), want %d", at, ok, due)
	}
	if needs && !s.NeedsClock() {
		return fmt.Errorf("a lease or grace waits, and the clock is not needed")
	}
	return nil
}
