package modeltest

import (
	"fmt"
	"maps"
	"slices"

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
	if err := sameTopics(m, s); err != nil {
		return err
	}
	return sameSessions(m, s)
}

func sameQueue(q *queue, got fsm.QueueInfo, s *fsm.State) error {
	if text := differ(got, q.info()); text != "" {
		return fmt.Errorf("%s\n%s", text, q)
	}
	if err := sameTenants(q, s); err != nil {
		return err
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
		got, want := byPlace[msg.place], msg.info()
		if text := differ(got, want); text != "" {
			return fmt.Errorf("message at %d: %s\n%s", msg.place, text, q)
		}
	}
	return nil
}

// sameTenants compares the weights, page by page.
func sameTenants(q *queue, s *fsm.State) error {
	var want []fsm.TenantInfo
	for _, name := range slices.Sorted(maps.Keys(q.weights)) {
		if w := q.weight(name); w > 1 {
			want = append(want, fsm.TenantInfo{Name: name, Weight: w})
		}
	}
	var got []fsm.TenantInfo
	for after, more := "", true; more; {
		var page []fsm.TenantInfo
		if page, more, _ = s.Tenants(q.name, after, 2); len(page) > 0 {
			after = page[len(page)-1].Name
		}
		got = append(got, page...)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("tenants %v, want %v", got, want)
	}
	return nil
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
		if text := differ(got, x.info()); text != "" {
			return fmt.Errorf("session %x: %s", x.id[:2], text)
		}
	}
	if got := s.Sessions(); got != want {
		return fmt.Errorf("sessions %+v, want %+v", got, want)
	}
	return nil
}
