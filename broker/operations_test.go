package broker

import (
	"fmt"
	"testing"

	"github.com/ferrymq/ferrymq/transport"
)

// TestTopics: topics and subscriptions are made, published to and listed, from
// a node that leads and from one that forwards.
func TestTopics(t *testing.T) {
	p := newPair(t)
	for i, c := range []*testClient{attached(t, p.a, 1), attached(t, p.b, 2)} {
		topic := fmt.Sprint("orders", i)
		c.wantCode(c.send(transport.OpTopicCreate, transport.TopicCreate{OpHeader: c.header(), Topic: topic}), transport.CodeOK)
		for _, name := range []string{"z", "m", "a"} {
			c.wantCode(c.send(transport.OpSubscribe, transport.Subscribe{
				OpHeader: c.header(), Topic: topic, Queue: topic + name, Filter: ">",
				Settings: transport.QueueSettings{MaxMessages: 7},
			}), transport.CodeOK)
		}
		if r := c.wantCode(c.publish(topic, "x"), transport.CodeOK); r.Value != 3 {
			t.Fatalf("%d queues got it", r.Value)
		}
		var info transport.TopicInfo
		c.ask(transport.Query{Kind: transport.QueryTopic, Name: topic}, &info)
		if info.Subscriptions != 3 || info.Published != 1 {
			t.Fatalf("%+v", info)
		}
		var topics transport.TopicList
		c.ask(transport.Query{Kind: transport.QueryTopics, Name: topic}, &topics)
		if len(topics.Topics) != 1 || topics.More || topics.Topics[0].Name != topic {
			t.Fatalf("%+v", topics)
		}
		var got []string
		for after, more := "", true; more; {
			var list transport.QueueList
			c.ask(transport.Query{Kind: transport.QuerySubscriptions, Name: topic, After: after, Limit: 2}, &list)
			for _, q := range list.Queues {
				got, after = append(got, q.Name), q.Name
				if q.Topic != topic || q.Filter != ">" || q.Ready != 1 || q.Settings.MaxMessages != 7 {
					t.Fatalf("%+v", q)
				}
			}
			more = list.More
		}
		if want := []string{topic + "a", topic + "m", topic + "z"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		c.wantCode(c.send(transport.OpTopicDelete, transport.TopicDelete{OpHeader: c.header(), Topic: topic}), transport.CodeOK)
	}
}

// TestCommit: what it settles goes and what it publishes comes, or nothing.
func TestCommit(t *testing.T) {
	p := newPair(t)
	for i, c := range []*testClient{attached(t, p.a, 1), attached(t, p.b, 2)} {
		from, to := fmt.Sprint("from", i), fmt.Sprint("to", i)
		c.create(from)
		c.create(to)
		c.consume(from, 1)
		c.wantCode(c.publish(from, "x"), transport.CodeOK)
		d := c.delivery()
		c.wantCode(c.commit([]transport.Delivery{d}, to, "y", "z"), transport.CodeOK)
		c.wantCode(c.commit([]transport.Delivery{d}, to, "once more"), transport.CodeLeaseLost)
		var info transport.QueueInfo
		c.ask(transport.Query{Kind: transport.QueryQueue, Name: to}, &info)
		if info.Ready != 2 {
			t.Fatalf("%+v", info)
		}
		c.ask(transport.Query{Kind: transport.QueryQueue, Name: from}, &info)
		if info.Acked != 1 || info.Leased != 0 {
			t.Fatalf("%+v", info)
		}
	}
}

// TestDuplicateNamesTheFirst: what a repeated message repeats is told, over a
// link too.
func TestDuplicateNamesTheFirst(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.wantCode(c.send(transport.OpQueueCreate, transport.QueueCreate{
		OpHeader: c.header(), Queue: "q", Settings: transport.QueueSettings{DedupMs: 60_000, DedupCapacity: 10},
	}), transport.CodeOK)
	first := c.wantCode(c.send(transport.OpPublish, dedupOf(c.header(), "q", "one")), transport.CodeOK)
	r := c.result(c.send(transport.OpPublish, dedupOf(c.header(), "q", "two", "one")))
	if len(r.Items) != 2 || r.Items[0].Code != transport.CodeOK || r.Items[1].Code != transport.CodeDuplicate ||
		r.Items[1].FirstIndex != first.Index || r.Items[1].FirstPosition != first.Position {
		t.Fatalf("%+v, first %+v", r, first)
	}
}
