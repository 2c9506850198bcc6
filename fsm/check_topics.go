package fsm

import "fmt"

func (s *State) checkTopics() (err error) {
	if s.topicNames.Len() != s.topics.Len() {
		return fmt.Errorf("%d names of %d topics", s.topicNames.Len(), s.topics.Len())
	}
	all, bound := 0, 0
	s.topics.Scan(func(incarnation uint64, t *topic) bool {
		at, ok := s.topicNames.Get(t.name)
		_, twice := s.names.Get(t.name)
		switch {
		case !ok || at != incarnation || t.incarnation != incarnation || incarnation > s.incarnations || twice || nameFault("topic", t.name) != "":
			err = fmt.Errorf("topic %d: name %q is of %d, or of a queue too", incarnation, t.name, at)
		case dedupFault(t.settings.DedupMillis, t.settings.DedupCapacity) != "":
			err = fmt.Errorf("topic %d: settings %+v", incarnation, t.settings)
		case t.subscriptions.Len() != t.filters.count() || t.subscriptions.Len() > MaxSubscriptions:
			err = fmt.Errorf("topic %d: %d subscriptions, %d filters", incarnation, t.subscriptions.Len(), t.filters.count())
		default:
			err = checkWindow(incarnation, t.window)
		}
		all += t.subscriptions.Len()
		return err == nil
	})
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		if err == nil {
			err = checkWindow(incarnation, q.window)
		}
		if q.subscription == nil || err != nil {
			return err == nil
		}
		all--
		if q.subscription.session != 0 {
			bound++
		}
		err = s.checkSubscription(q)
		return err == nil
	})
	for _, subscriptions := range s.bound { // only counted
		bound -= subscriptions.Len()
	}
	if err == nil && (all != 0 || bound != 0) {
		err = fmt.Errorf("%d subscriptions more in topics than there are, %d less in sessions", all, bound)
	}
	return err
}

func (s *State) checkSubscription(q *queue) error {
	sub := q.subscription
	t, ok := s.topics.Get(sub.topic)
	if !ok || q.deadLetter == 0 || wordsFault(sub.filter, true) != "" {
		return fmt.Errorf("subscription %d: topic %d, filter %q", q.incarnation, sub.topic, sub.filter)
	}
	if _, ok := t.subscriptions.Get(q.incarnation); !ok {
		return fmt.Errorf("subscription %d: its topic does not know it", q.incarnation)
	}
	if x, ok := s.sessions.Get(sub.session); sub.session != 0 && (!ok || x.serial > s.serials) {
		return fmt.Errorf("subscription %d: session %d is gone", q.incarnation, sub.session)
	}
	if sub.required && q.missed > 0 {
		return fmt.Errorf("required subscription %d: missed %d", q.incarnation, q.missed)
	}
	if fitted, r := sub.fitted(q.settings); r.Code != OK || fitted != q.settings {
		return fmt.Errorf("subscription %d: settings %+v", q.incarnation, q.settings)
	}
	return nil
}

func checkWindow(incarnation uint64, w *window) error {
	if w == nil {
		return nil
	}
	first, _ := w.due.Min()
	if w.ids.Len() == 0 || w.ids.Len() != w.due.Len() || w.armedAt != first.due || w.ids.Len() > MaxDedupCapacity {
		return fmt.Errorf("window of %d: %d ids, %d ends, timer at %d for %d", incarnation, w.ids.Len(), w.due.Len(), w.armedAt, first.due)
	}
	return nil
}

func (f *filters) count() int {
	if f == nil {
		return 0
	}
	n := len(f.here) + len(f.rest) + f.any.count()
	for _, child := range f.next { // only counted
		n += child.count()
	}
	return n
}
