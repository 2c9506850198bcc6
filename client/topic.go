package client

import (
	"context"
	"iter"

	"github.com/ferrymq/ferrymq/transport"
)

// Subscription of a topic: a queue that gets what is published to the topic
// under a subject that its filter matches. It is consumed, updated and deleted
// as a queue, and has a dead-letter queue of its own.
type Subscription struct {
	Topic string
	Queue string
	// Filter of subjects: words with dots between; "*" is one word, ">" at the
	// end one or more. "" is ">", everything.
	Filter string
	// Required: while the subscription is full, nothing that it matches can be
	// published to the topic. Else it loses its oldest messages to its
	// dead-letter queue, and misses new ones when that is full too. A required
	// one may be set to OverflowDropOldest, and then refuses only what it cannot
	// make room for, but not to OverflowDropNew.
	Required bool
	// Session: it is deleted when the session of this connection ends, which
	// Close does. A new session, after one expired, has to subscribe again.
	Session  bool
	Settings QueueSettings
}

// CreateTopic makes a topic. One that exists with the same settings is fine;
// with others, or where a queue has the name, the error Is ErrConflict.
func (c *Conn) CreateTopic(ctx context.Context, name string, s TopicSettings) error {
	settings, err := s.wire()
	if err != nil {
		return about(err, "create topic", name)
	}
	return c.change(ctx, transport.OpTopicCreate, "create topic", name, func(h transport.OpHeader) appender {
		return transport.TopicCreate{OpHeader: h, Topic: name, Settings: settings}
	})
}

// DeleteTopic deletes the topic and its subscriptions with their messages.
// With IfUnused the error Is ErrInUse if it has one; IfEmpty says nothing here.
func (c *Conn) DeleteTopic(ctx context.Context, name string, opts ...DeleteOption) error {
	var o deleteOptions
	for _, opt := range opts {
		opt(&o)
	}
	return c.change(ctx, transport.OpTopicDelete, "delete topic", name, func(h transport.OpHeader) appender {
		return transport.TopicDelete{OpHeader: h, Topic: name, IfUnused: o.ifUnused}
	})
}

// Subscribe makes a subscription. One that exists as it is asked for is fine,
// another one is not, as that of another session: the error Is ErrConflict. Where there is no topic it Is
// ErrNotFound. Its messages are consumed as a queue's, by Consume.
func (c *Conn) Subscribe(ctx context.Context, s Subscription) error {
	settings, err := s.Settings.wire()
	if err != nil {
		return about(err, "subscribe", s.Queue)
	}
	if err := checkOther("subscribe", s.Queue, "topic", s.Topic); err != nil {
		return err
	}
	if s.Filter == "" {
		s.Filter = ">"
	}
	if err := CheckFilter(s.Filter); err != nil {
		return localError(transport.CodeInvalid, "subscribe", s.Queue, "", err)
	}
	return c.change(ctx, transport.OpSubscribe, "subscribe", s.Queue, func(h transport.OpHeader) appender {
		return transport.Subscribe{
			OpHeader: h, Topic: s.Topic, Queue: s.Queue, Filter: s.Filter,
			Required: s.Required, Session: s.Session, Settings: settings,
		}
	})
}

// Topic describes a topic.
func (c *Conn) Topic(ctx context.Context, name string, opts ...ReadOption) (TopicInfo, error) {
	if err := checkQueue("read topic", name); err != nil {
		return TopicInfo{}, err
	}
	var info transport.TopicInfo
	err := c.query(ctx, "read topic", transport.Query{Kind: transport.QueryTopic, Name: name}, &info, opts)
	return topicInfoFrom(info), err
}

// Topics lists the topics whose names begin with prefix, in order of name. The
// error is the last pair.
func (c *Conn) Topics(ctx context.Context, prefix string, opts ...ReadOption) iter.Seq2[TopicInfo, error] {
	q := transport.Query{Kind: transport.QueryTopics, Name: prefix}
	return paged(q, func(q transport.Query) ([]transport.TopicInfo, bool, error) {
		var list transport.TopicList
		err := c.query(ctx, "list topics", q, &list, opts)
		return list.Topics, list.More, err
	}, func(info transport.TopicInfo) (TopicInfo, string) { return topicInfoFrom(info), info.Name })
}

// Subscriptions lists the subscriptions of a topic, in order of name. The error
// is the last pair.
func (c *Conn) Subscriptions(ctx context.Context, topic string, opts ...ReadOption) iter.Seq2[QueueInfo, error] {
	if err := checkQueue("list subscriptions", topic); err != nil {
		return func(yield func(QueueInfo, error) bool) { yield(QueueInfo{}, err) }
	}
	return c.queueList(ctx, "list subscriptions", transport.Query{Kind: transport.QuerySubscriptions, Name: topic}, opts)
}
