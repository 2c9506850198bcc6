package client

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// The fake cluster's half of what is more than publishing and settling.

// fakeOps is what arrived of it.
type fakeOps struct {
	commits  []transport.Commit
	amends   []transport.Amend
	replies  []fakeReply
	requests map[requestKey]*fakeRequest
	awaits   []transport.Await
	browsed  []transport.BrowsedMessage // what there is to browse
	ops      []transport.Op             // of the operations that were applied
}

type fakeReply struct {
	transport.Reply
	message Message
}

type requestKey struct {
	session transport.SessionID
	number  uint64
}

type fakeRequest struct {
	transport.Request
	message  Message
	deadline int64
	answer   *transport.Answer
}

func (c *fakeCluster) parse(b []byte) (m Message, deadline int64) {
	var payload []byte
	c.must(transport.EachRecord(b, 1, func(b []byte) error { payload = b; return nil }))
	m, at, err := messageOf(slices.Clone(payload))
	c.must(err)
	if !at.IsZero() {
		deadline = at.UnixMilli()
	}
	return m, deadline
}

// applyMore judges the operations that apply does not.
func (c *fakeCluster) applyMore(fc *fakeConn, f transport.Frame, r *transport.Result) {
	c.ops = append(c.ops, f.Op)
	switch f.Op {
	case transport.OpCommit:
		var m transport.Commit
		c.must(m.Decode(f.Payload))
		c.commits = append(c.commits, m)
		c.settled = append(c.settled, m.Settles...)
		for _, p := range m.Publishes {
			c.must(transport.EachRecord(p.Records, p.Count, func(b []byte) error {
				v, err := record.Parse(b)
				c.applied = append(c.applied, appliedMessage{p.Queue, string(v.Body())})
				return err
			}))
		}
	case transport.OpAmend:
		var m transport.Amend
		c.must(m.Decode(f.Payload))
		c.amends = append(c.amends, m)
		for _, item := range m.Items {
			i := slices.IndexFunc(c.browsed, func(b transport.BrowsedMessage) bool {
				return b.Place == item.Place && b.Index == item.Index
			})
			v := transport.Verdict{}
			switch {
			case i < 0:
				v.Code = transport.CodeNotFound
			case c.browsed[i].State == transport.MessageLeased:
				v.Code = transport.CodeInUse
			case m.Action == transport.AmendMove || m.Action == transport.AmendDelete:
				c.browsed = slices.Delete(c.browsed, i, i+1)
			}
			r.Items = append(r.Items, v)
		}
	case transport.OpRequest:
		var m transport.Request
		c.must(m.Decode(f.Payload))
		message, deadline := c.parse(m.Records)
		if c.requests == nil {
			c.requests = map[requestKey]*fakeRequest{}
		}
		key := requestKey{fc.handles[m.Handle].session, m.Number}
		c.requests[key] = &fakeRequest{Request: m, message: message, deadline: deadline}
	case transport.OpReply:
		var m transport.Reply
		c.must(m.Decode(f.Payload))
		message, _ := c.parse(m.Records)
		c.replies = append(c.replies, fakeReply{m, message})
	case transport.OpGroupResume:
		r.Value = 4
	}
}

// await answers an Await as a group does.
func (fc *fakeConn) await(f transport.Frame) {
	c := fc.node.cluster
	var a transport.Await
	c.must(a.Decode(f.Payload))
	c.awaits = append(c.awaits, a)
	q := c.requests[requestKey{fc.handles[a.Handle].session, a.Number}]
	switch {
	case q == nil:
		fc.answer(f.Stream, transport.Result{Code: transport.CodeNotFound})
	case q.answer == nil:
		fc.answer(f.Stream, transport.Result{})
	default:
		answer := *q.answer
		answer.Handle = a.Handle
		fc.send(transport.OpEvents, 0, &transport.Events{
			Results: []transport.Result{{Stream: f.Stream, Value: 1}}, Answers: []transport.Answer{answer},
		})
	}
}

// asked is the only request that arrived and is not answered.
func (c *fakeCluster) asked() *fakeRequest {
	return read(c, func() *fakeRequest {
		for _, q := range c.requests {
			if q.answer == nil {
				return q
			}
		}
		return nil
	})
}

// answerRequest ends the only open request: with a body, or for a code other
// than OK without one. The session is told if it is attached.
func (c *fakeCluster) answerRequest(code transport.Code, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, q := range c.requests {
		if q.answer != nil {
			continue
		}
		a := &transport.Answer{Number: key.number, Code: code}
		if code == transport.CodeOK && body != "" {
			b, err := record.Append(nil, &record.Message{Body: []byte(body), CorrelationID: q.message.CorrelationID})
			c.must(err)
			a.Record, a.Index = b, c.next()
		}
		q.answer = a
		if s := c.sessions[key.session]; s != nil && s.conn != nil {
			sent := *a
			sent.Handle = s.handle
			s.conn.send(transport.OpEvents, 0, &transport.Events{Answers: []transport.Answer{sent}})
		}
		return
	}
	c.t.Error("no request is open")
}

// lookMore answers the queries that query does not.
func (c *fakeCluster) lookMore(q transport.Query) []byte {
	switch q.Kind {
	case transport.QueryTopic:
		return transport.TopicInfo{Name: q.Name, Subscriptions: 2}.AppendTo(nil)
	case transport.QueryTopics:
		if q.After == "" {
			return transport.TopicList{Topics: []transport.TopicInfo{{Name: "a"}}, More: true}.AppendTo(nil)
		}
		return transport.TopicList{Topics: []transport.TopicInfo{{Name: "b"}}}.AppendTo(nil)
	case transport.QueryTenants:
		if q.After == "" {
			return transport.TenantList{Tenants: []transport.TenantInfo{{Weight: 2}, {Name: "a", Weight: 3}}, More: true}.AppendTo(nil)
		}
		return transport.TenantList{Tenants: []transport.TenantInfo{{Name: "b", Weight: 4}}}.AppendTo(nil)
	case transport.QuerySubscriptions:
		return transport.QueueList{Queues: []transport.QueueInfo{{Name: "s", Topic: q.Name, Filter: ">"}}}.AppendTo(nil)
	case transport.QueryExplain:
		return transport.ExplainReply{Queue: q.Name, Reasons: []transport.ExplainReason{
			{Kind: transport.ExplainScheduled, Text: "later", Count: 3, AtMs: 5000},
			{Kind: transport.ExplainTopicRefuses, Text: "refused", Count: 1, Name: "must", TakesBytes: -1},
		}}.AppendTo(nil)
	case transport.QueryTrace:
		var t transport.TraceQuery
		c.must(t.Decode(q.Body))
		return transport.TraceReply{FromIndex: uint64(q.Group), Events: []transport.TraceEvent{
			{Index: t.Index, Kind: transport.TracePublished}, {Index: uint64(t.Position), Kind: transport.TraceAcked, WallMs: 7},
		}}.AppendTo(nil)
	case transport.QueryBrowse:
		return c.browse(q.Body).AppendTo(nil)
	}
	c.t.Errorf("query of %q", q.Kind)
	return nil
}

// browse gives pages of three.
func (c *fakeCluster) browse(body []byte) (reply transport.BrowseReply) {
	var q transport.BrowseQuery
	c.must(q.Decode(body))
	for _, m := range c.browsed {
		switch {
		case m.Place <= q.After, !q.States.Has(m.State), q.Index != 0 && q.Index != m.Index,
			q.GroupKey != "" && q.GroupKey != m.GroupKey:
			continue
		case len(reply.Messages) == 3:
			reply.More = true
			return reply
		}
		if !q.Bodies {
			m.Record = nil
		}
		reply.Messages = append(reply.Messages, m)
		reply.Next = m.Place
	}
	return reply
}

// fill gives a queue messages to browse, with places and indexes from 1 and
// bodies of their own.
func (c *fakeCluster) fill(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range n {
		b, err := record.Append(nil, &record.Message{Body: []byte{byte(i + 1)}})
		c.must(err)
		c.browsed = append(c.browsed, transport.BrowsedMessage{
			Place: uint64(i + 1), Index: uint64(i + 1), State: transport.MessageReady, Record: b,
			Death: &transport.Death{Queue: "q", Reason: transport.DeathFailures},
		})
	}
}

// losing is a hook that loses the answer to the first operation of a kind: after
// it was applied, or before. The link breaks.
func (c *fakeCluster) losing(op transport.Op, applied bool) func(*fakeConn, transport.Frame) bool {
	lost := false
	return func(fc *fakeConn, f transport.Frame) bool {
		if f.Op != op || lost {
			return false
		}
		lost = true
		fc.t.Close()
		if applied {
			fc.take(f) // the answer goes nowhere
		}
		return true
	}
}

// bodyOf the only record in a Commit's publish.
func bodyOf(p transport.CommitPublish) string {
	c := wire.NewCursor(p.Records)
	m, _, err := messageOf(c.Bytes())
	if err != nil {
		return err.Error()
	}
	return string(m.Body)
}
