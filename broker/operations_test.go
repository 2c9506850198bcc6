package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
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

// TestTenants: weights are read page by page, from a node that leads and from
// one that forwards. The nameless tenant is no end of the list.
func TestTenants(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.a, 1)
	c.wantCode(c.send(transport.OpQueueCreate, transport.QueueCreate{
		OpHeader: c.header(), Queue: "q", Settings: transport.QueueSettings{Fair: true},
	}), transport.CodeOK)
	for i, name := range []string{"", "a", "b", "none"} {
		weight := uint32(i + 2)
		if name == "none" {
			weight = 1
		}
		c.wantCode(c.send(transport.OpTenantWeight, transport.TenantWeight{
			OpHeader: c.header(), Queue: "q", Tenant: name, Weight: weight,
		}), transport.CodeOK)
	}
	want := []transport.TenantInfo{{Name: "", Weight: 2}, {Name: "a", Weight: 3}, {Name: "b", Weight: 4}}
	for _, c := range []*testClient{c, attached(t, p.b, 2)} {
		var all []transport.TenantInfo
		for after, more := "", true; more; {
			var list transport.TenantList
			c.ask(transport.Query{Kind: transport.QueryTenants, Name: "q", After: after, Limit: 1}, &list)
			all, more = append(all, list.Tenants...), list.More
			after = all[len(all)-1].Name
			if len(all) > len(want) {
				break
			}
		}
		if !slices.Equal(all, want) {
			t.Fatalf("%+v", all)
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

// TestSmallerMessages: a node may be told to take smaller messages than others
// do. It tells its clients, and refuses larger ones before the log has them.
func TestSmallerMessages(t *testing.T) {
	p := newPair(t, func(o *Options) {
		if o.Node == "b" {
			o.MessageMax = 2048
		}
	})
	if ok := connectTo(t, p.b).hello(); ok.MessageMax != 2048 {
		t.Fatalf("%+v", ok)
	}
	c := attached(t, p.b, 1)
	c.create("q")
	c.wantCode(c.publish("q", strings.Repeat("x", 2048)), transport.CodeOK)
	before, _ := p.g.counted()
	c.wantCode(c.publish("q", strings.Repeat("x", 2049)), transport.CodeTooLarge)
	if after, _ := p.g.counted(); after != before {
		t.Fatalf("%d entries for a message that is refused", after-before)
	}
	other := attached(t, p.a, 2)
	other.wantCode(other.publish("q", strings.Repeat("x", 2049)), transport.CodeOK)
}

// TestBrowse: messages are found by what they are, page by page, without
// changing anything.
func TestBrowse(t *testing.T) {
	p := newPair(t, func(o *Options) { o.MessageMax, o.FrameMax = 64<<10, 1<<20 })
	c := attached(t, p.b, 1)
	c.create("q")
	for i := range 6 {
		m := transport.Publish{OpHeader: c.header(), Queue: "q", Count: 1, Records: appendRecord(nil, &record.Message{
			Body: make([]byte, 30<<10), Headers: []record.Header{{Key: "n", Value: fmt.Sprint(i % 2)}},
		})}
		c.wantCode(c.send(transport.OpPublish, m), transport.CodeOK)
	}
	browse := func(q transport.BrowseQuery) (places []uint64, pages int) {
		t.Helper()
		q.Queue = "q"
		for more := true; more; pages++ {
			var reply transport.BrowseReply
			c.ask(transport.Query{Kind: transport.QueryBrowse, Body: q.AppendTo(nil)}, &reply)
			for _, m := range reply.Messages {
				if q.Bodies != (len(m.Record) > 30<<10) || m.State != transport.MessageReady || m.EnqueuedMs == 0 {
					t.Fatalf("%+v", m)
				}
				places = append(places, m.Place)
			}
			q.After, more = reply.Next, reply.More
		}
		return places, pages
	}
	for _, tc := range []struct {
		q     transport.BrowseQuery
		want  string
		pages int
	}{
		{transport.BrowseQuery{}, "[1 2 3 4 5 6]", 1},
		{transport.BrowseQuery{Limit: 4}, "[1 2 3 4 5 6]", 2},
		{transport.BrowseQuery{Bodies: true}, "[1 2 3 4 5 6]", 3}, // two fit a reply
		{transport.BrowseQuery{HeaderKey: "n"}, "[1 2 3 4 5 6]", 1},
		{transport.BrowseQuery{HeaderKey: "n", HeaderValue: "1"}, "[2 4 6]", 1},
		{transport.BrowseQuery{HeaderKey: "n", HeaderValue: "1", Limit: 1}, "[2 4 6]", 3},
		{transport.BrowseQuery{HeaderKey: "m"}, "[]", 1},
		{transport.BrowseQuery{States: transport.StatesOf(transport.MessageLeased)}, "[]", 1},
		{transport.BrowseQuery{OlderThanMs: 1 << 60}, "[]", 1},
		{transport.BrowseQuery{YoungerThanMs: 1 << 63}, "[1 2 3 4 5 6]", 1},
	} {
		places, pages := browse(tc.q)
		if fmt.Sprint(places) != tc.want || pages != tc.pages {
			t.Errorf("%+v: %v in %d pages, want %s in %d", tc.q, places, pages, tc.want, tc.pages)
		}
	}
}

// TestBrowseByAge: the age of a message is how long it has been in the log.
func TestBrowseByAge(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	const hour = 3_600_000
	for range 3 {
		c.wantCode(c.publish("q", "x"), transport.CodeOK)
		p.g.ahead.Add(hour)
	}
	for _, tc := range []struct {
		older, younger uint64
		want           string
	}{
		{0, 0, "[1 2 3]"},
		{hour / 2, 0, "[1 2 3]"},
		{hour * 3 / 2, 0, "[1 2]"},
		{hour * 5 / 2, 0, "[1]"},
		{hour * 7 / 2, 0, "[]"},
		{0, hour / 2, "[]"},
		{0, hour * 3 / 2, "[3]"},
		{0, hour * 5 / 2, "[2 3]"},
		{hour * 3 / 2, hour * 5 / 2, "[2]"},
	} {
		q := transport.BrowseQuery{Queue: "q", OlderThanMs: tc.older, YoungerThanMs: tc.younger}
		var reply transport.BrowseReply
		c.ask(transport.Query{Kind: transport.QueryBrowse, Body: q.AppendTo(nil)}, &reply)
		places := []uint64{}
		for _, m := range reply.Messages {
			places = append(places, m.Place)
		}
		if fmt.Sprint(places) != tc.want {
			t.Errorf("older than %d, younger than %d: %v, want %s", tc.older, tc.younger, places, tc.want)
		}
	}
}

// TestBrowseByAttributes: a message says its group, tenant and priority itself,
// in a queue that has no use for them too, as that of dead letters.
func TestBrowseByAttributes(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	urgent := uint8(9)
	for i := range 6 {
		c.wantCode(c.send(transport.OpPublish, transport.Publish{OpHeader: c.header(), Queue: "q", Count: 1,
			Records: appendRecord(nil, &record.Message{
				GroupKey: []string{"", "even"}[1-i%2], Tenant: []string{"acme", "", "other"}[i%3], Priority: &urgent,
			})}), transport.CodeOK)
	}
	browse := func(q transport.BrowseQuery) (found []string) {
		t.Helper()
		for more := true; more; {
			var reply transport.BrowseReply
			c.ask(transport.Query{Kind: transport.QueryBrowse, Body: q.AppendTo(nil)}, &reply)
			for _, m := range reply.Messages {
				found = append(found, fmt.Sprint(m.Position, m.GroupKey, "/", m.Tenant, "/", m.Priority))
			}
			q.After, more = reply.Next, reply.More
		}
		slices.Sort(found)
		return found
	}
	look := func(queue string) {
		t.Helper()
		for _, tc := range []struct {
			q    transport.BrowseQuery
			want string
		}{
			{transport.BrowseQuery{}, "[0//9 0/acme/9 0/other/9 0even//9 0even/acme/9 0even/other/9]"},
			{transport.BrowseQuery{GroupKey: "even"}, "[0even//9 0even/acme/9 0even/other/9]"},
			{transport.BrowseQuery{Tenant: "acme"}, "[0/acme/9 0even/acme/9]"},
			{transport.BrowseQuery{Tenant: "acme", Limit: 1}, "[0/acme/9 0even/acme/9]"},
			{transport.BrowseQuery{Tenant: "other", GroupKey: "even"}, "[0even/other/9]"},
			{transport.BrowseQuery{Tenant: "even"}, "[]"},
			{transport.BrowseQuery{GroupKey: "acme"}, "[]"},
		} {
			tc.q.Queue = queue
			if got := fmt.Sprint(browse(tc.q)); got != tc.want {
				t.Errorf("%s, %+v: %s, want %s", queue, tc.q, got, tc.want)
			}
		}
	}
	look("q")
	c.consume("q", 1)
	for range 6 { // a group's next one comes when the one before is settled
		c.wantCode(c.settle(transport.ActionReject, c.delivery()), transport.CodeOK)
	}
	look("q.dlq")
}

// TestRequestReply: the answer finds whoever asked, over a link too, and may
// be asked for again, until another request tells that it came.
func TestRequestReply(t *testing.T) {
	p := newPair(t)
	near, far := attached(t, p.a, 1), attached(t, p.b, 2)
	near.create("q")
	for _, c := range []*testClient{near, far} {
		other := near
		if c == near {
			other = far
		}
		ask := transport.Request{OpHeader: c.header(), Queue: "q", Records: appendRecord(nil, &record.Message{
			Body: []byte("how much?"), DeadlineMillis: uint64(p.g.Now().WallMillis + 60_000),
		})}
		c.wantCode(c.send(transport.OpRequest, ask), transport.CodeNoResponders)
		other.consume("q", 1)
		ask.OpHeader = c.header()
		c.wantCode(c.send(transport.OpRequest, ask), transport.CodeOK)
		d := other.delivery()
		if !d.Request || bodyOf(t, d) != "how much?" {
			t.Fatalf("%+v", d)
		}
		other.wantCode(other.send(transport.OpReply, transport.Reply{
			OpHeader: other.header(), Incarnation: d.Incarnation, Place: d.Place, Token: d.Token,
			Records: appendRecord(nil, &record.Message{Body: []byte("four")}),
		}), transport.CodeOK)
		for again := range 2 {
			a := c.nextAnswer()
			v, err := record.Parse(a.Record)
			if err != nil || a.Number != ask.Number || a.Code != transport.CodeOK || string(v.Body()) != "four" {
				t.Fatalf("%+v, %v", a, err)
			}
			if again == 0 {
				if r := c.wantCode(c.send(transport.OpAwait, transport.Await{Handle: 1, Number: ask.Number}), transport.CodeOK); r.Value != 1 {
					t.Fatalf("%+v", r)
				}
			}
		}
		ask.Taken, ask.OpHeader = []uint64{ask.Number}, c.header()
		c.wantCode(c.send(transport.OpRequest, ask), transport.CodeOK)
		c.wantCode(c.send(transport.OpAwait, transport.Await{Handle: 1, Number: ask.Taken[0]}), transport.CodeNotFound)
		other.wantCode(other.settle(transport.ActionAck, other.delivery()), transport.CodeOK)
		other.wantCode(other.send(transport.OpCancel, transport.Cancel{OpHeader: other.header(), Consumer: 1}), transport.CodeOK)
	}
}
