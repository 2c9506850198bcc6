package modeltest

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
)

func sameTopics(m *Model, s *fsm.State) error {
	page, more := s.Topics("", "", fsm.MaxTopics)
	if len(page) != len(m.topics) || more {
		return fmt.Errorf("%d topics, want %d", len(page), len(m.topics))
	}
	for _, got := range page {
		t := m.topics[got.Name]
		if t == nil {
			return fmt.Errorf("a topic %q that must not be", got.Name)
		}
		if text := differ(got, t.info(m)); text != "" {
			return fmt.Errorf("topic %s: %s", t.name, text)
		}
		if err := sameSubscriptions(m, t, s); err != nil {
			return fmt.Errorf("topic %s: %w", t.name, err)
		}
	}
	return nil
}

func sameSubscriptions(m *Model, t *topic, s *fsm.State) error {
	want := m.subscriptions(t)
	page, more, ok := s.Subscriptions(t.name, 0, fsm.MaxSubscriptions)
	if len(page) != len(want) || more || !ok {
		return fmt.Errorf("%d subscriptions, want %d", len(page), len(want))
	}
	for i, got := range page {
		if got.Name != want[i].name {
			return fmt.Errorf("subscription %s, want %s", got.Name, want[i].name)
		}
		if got.Required && got.Missed > 0 {
			return fmt.Errorf("required subscription %s missed %d", got.Name, got.Missed)
		}
	}
	return nil
}
