package fsm

import (
	"github.com/tidwall/btree"
)

// topic is one incarnation of a name. It has subscriptions and no messages.
type topic struct {
	gen         uint64
	name        string
	incarnation uint64
	settings    TopicSettings
	window      *window // of message ids; nil: none were seen

	published, duplicates uint64

	// Derived from the queues, in no snapshot, and never read through a
	// pinned topic.
	subscriptions btree.Map[uint64, struct{}] // by incarnation
	filters       filters
}

// subscription is what makes a queue one. It is never changed.
type subscription struct {
	topic    uint64
	filter   string
	required bool
	session  uint64 // serial of the session it goes with; 0: none
}

func (s *State) topic(incarnation uint64) *topic {
	t, ok := s.topics.Get(incarnation)
	if !ok || t.gen == s.gen {
		return t
	}
	c := *t
	c.gen = s.gen
	c.window = t.window.clone()
	s.topics.Set(incarnation, &c)
	return &c
}

func (s *State) topicNamed(name string) *topic {
	incarnation, ok := s.topicNames.Get(name)
	if !ok {
		return nil
	}
	return s.topic(incarnation)
}

func (s *State) createTopic(c *TopicCreate) Result {
	if fault := nameFault("topic", c.Topic); fault != "" {
		return Result{Code: Invalid, Detail: fault}
	}
	if fault := dedupFault(c.Settings.DedupMillis, c.Settings.DedupCapacity); fault != "" {
		return Result{Code: Invalid, Detail: fault}
	}
	if t := s.topicNamed(c.Topic); t != nil {
		if t.settings != c.Settings {
			return Result{Code: Conflict, Detail: "the topic exists with other settings"}
		}
		return Result{Value: t.incarnation}
	}
	if _, ok := s.names.Get(c.Topic); ok {
		return Result{Code: Conflict, Detail: "the name is a queue's"}
	}
	if s.topics.Len() >= MaxTopics {
		return Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}
	}
	s.incarnations++
	t := &topic{gen: s.gen, name: c.Topic, incarnation: s.incarnations, settings: c.Settings}
	s.topics.Set(t.incarnation, t)
	s.topicNames.Set(t.name, t.incarnation)
	return Result{Value: t.incarnation}
}

// deleteTopic deletes a topic and all of its subscriptions.
func (s *State) deleteTopic(c *TopicDelete) Result {
	t := s.topicNamed(c.Topic)
	if t == nil {
		return Result{Code: NotFound}
	}
	n := uint64(t.subscriptions.Len())
	if c.IfUnused && n > 0 {
		return Result{Code: InUse, Value: n, Detail: "the topic has subscriptions"}
	}
	for _, incarnation := range t.subscriptions.Keys() {
		s.dissolvePair(s.queue(incarnation), goneWithTopic)
	}
	if t.window != nil {
		s.timers.move(timerDedup, t.incarnation, &t.window.armedAt, 0)
	}
	s.topicNames.Delete(t.name)
	s.topics.Delete(t.incarnation)
	return Result{Value: n}
}

// subscribe makes a queue that a topic fills.
func (s *State) subscribe(x *session, c *Subscribe) Result {
	if fault := nameFault("queue", c.Queue); fault != "" {
		return Result{Code: Invalid, Detail: fault}
	}
	if fault := wordsFault(c.Filter, true); fault != "" {
		return Result{Code: Invalid, Detail: "filter: " + fault}
	}
	sub := subscription{filter: c.Filter, required: c.Required}
	if c.Session {
		sub.session = x.serial
	}
	settings, r := c.Settings.filled()
	if r.Code == OK {
		settings, r = sub.fitted(settings)
	}
	if r.Code != OK {
		return r
	}
	t := s.topicNamed(c.Topic)
	if t == nil {
		return Result{Code: NotFound, Detail: "topic " + c.Topic}
	}
	sub.topic = t.incarnation
	if q := s.queueNamed(c.Queue); q != nil {
		if q.subscription == nil || *q.subscription != sub || q.settings != settings {
			return Result{Code: Conflict, Detail: "the queue exists, and is not the same subscription"}
		}
		return Result{Value: q.incarnation}
	}
	if s.isTopic(c.Queue) {
		return Result{Code: Conflict, Detail: "the name is a topic's"}
	}
	if t.subscriptions.Len() >= MaxSubscriptions || s.queues.Len()+2 > MaxQueues {
		return Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}
	}
	q := s.newPair(c.Queue, settings)
	q.subscription = &sub
	s.bind(t, q)
	return Result{Value: q.incarnation}
}

func (s *State) isTopic(name string) bool {
	_, ok := s.topicNames.Get(name)
	return ok
}

// fitted returns the settings as a subscription has them: one that is not
// required never refuses, and one that is misses nothing.
func (sub *subscription) fitted(t Settings) (Settings, Result) {
	if t.DedupMillis != 0 {
		return t, Result{Code: Invalid, Detail: "message ids are judged by the topic"}
	}
	if sub.required && t.Overflow == OverflowDropNew {
		return t, Result{Code: Invalid, Detail: "a required subscription cannot drop new messages: it would miss them"}
	}
	if !sub.required && t.Overflow == OverflowReject {
		t.Overflow = OverflowDropOldest
	}
	return t, Result{}
}

// bind fills in what is derived from a subscription.
func (s *State) bind(t *topic, q *queue) {
	sub := q.subscription
	t.subscriptions.Set(q.incarnation, struct{}{})
	t.filters.set(sub.filter, q.incarnation, true)
	if sub.session != 0 {
		if s.bound[sub.session] == nil {
			s.bound[sub.session] = &btree.Map[uint64, struct{}]{}
		}
		s.bound[sub.session].Set(q.incarnation, struct{}{})
	}
}

// unbind undoes bind.
func (s *State) unbind(q *queue) {
	sub := q.subscription
	t := s.topic(sub.topic)
	t.subscriptions.Delete(q.incarnation)
	t.filters.set(sub.filter, q.incarnation, false)
	if sub.session == 0 {
		return
	}
	if all := s.bound[sub.session]; all.Len() > 1 {
		all.Delete(q.incarnation)
	} else {
		delete(s.bound, sub.session)
	}
}

// endBound deletes the subscriptions that go with a session, the oldest first.
// It returns false when this entry has done enough.
func (s *State) endBound(x *session) bool {
	for s.bound[x.serial] != nil {
		if !s.affords(1) {
			return false
		}
		incarnation, _, _ := s.bound[x.serial].Min()
		s.dissolvePair(s.queue(incarnation), goneWithSession)
	}
	return true
}
