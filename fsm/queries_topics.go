package fsm

import "strings"

// Topic describes a topic.
func (s *State) Topic(name string) (TopicInfo, bool) {
	incarnation, ok := s.topicNames.Get(name)
	if !ok {
		return TopicInfo{}, false
	}
	t, _ := s.topics.Get(incarnation)
	return t.info(), true
}

// Topics lists topics as Queues does queues.
func (s *State) Topics(prefix, after string, limit int) (page []TopicInfo, more bool) {
	s.topicNames.Ascend(max(prefix, after), func(name string, incarnation uint64) bool {
		switch {
		case name <= after && after != "":
			return true
		case !strings.HasPrefix(name, prefix):
			return false
		case len(page) >= limit:
			more = true
			return false
		}
		t, _ := s.topics.Get(incarnation)
		page = append(page, t.info())
		return true
	})
	return page, more
}

// Subscriptions lists those of a topic whose incarnations are greater than
// after, in the order of their incarnations, at most limit; more tells whether
// there are others. It is not ok without such a topic.
func (s *State) Subscriptions(topic string, after uint64, limit int) (page []QueueInfo, more, ok bool) {
	incarnation, ok := s.topicNames.Get(topic)
	if !ok {
		return nil, false, false
	}
	t, _ := s.topics.Get(incarnation)
	t.subscriptions.Ascend(after+1, func(incarnation uint64, _ struct{}) bool {
		if len(page) >= limit {
			more = true
			return false
		}
		q, _ := s.queues.Get(incarnation)
		page = append(page, s.info(q))
		return true
	})
	return page, more, true
}

func (t *topic) info() TopicInfo {
	return TopicInfo{Name: t.name, Incarnation: t.incarnation, Settings: t.settings,
		Subscriptions: uint32(t.subscriptions.Len()), Published: t.published, Duplicates: t.duplicates,
		DedupIDs: uint64(t.window.len())}
}

// info describes a queue with what it has from its topic.
func (s *State) info(q *queue) QueueInfo {
	i := q.info()
	i.DedupIDs = uint64(q.window.len())
	if sub := q.subscription; sub != nil {
		t, _ := s.topics.Get(sub.topic)
		i.Topic, i.Filter, i.Required, i.Session = t.name, sub.filter, sub.required, sub.session != 0
	}
	return i
}
