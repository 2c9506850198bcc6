package client

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for each, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, each)
	}
	return all
}

func TestBrowse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(8)
		c.browsed[4].State = transport.MessageScheduled
		c.browsed[4].ReadyMs = 5000
		c.browsed[5].Record[16] ^= 1 // rotten
		all := collect(t, conn.Browse(t.Context(), "q.dlq", Filter{}))
		if len(all) != 8 || all[7].Place != 8 || all[7].ID.Index != 8 || all[0].Message != nil || all[0].Err != nil ||
			all[4].State != Scheduled || all[4].ReadyAt.UnixMilli() != 5000 || !all[0].ReadyAt.IsZero() || all[3].Death.Queue != "q" {
			t.Errorf("browsed %+v", all)
		}
		bodies := collect(t, conn.BrowseMessages(t.Context(), "q.dlq", Filter{States: []MessageState{Ready, Leased}}))
		if len(bodies) != 7 || bodies[0].Message.Body[0] != 1 || bodies[4].Message != nil || !errors.Is(bodies[4].Err, ErrMalformed) {
			t.Errorf("browsed %+v", bodies)
		}
		one := collect(t, conn.Browse(t.Context(), "q.dlq", Filter{ID: MessageID{Index: 3}}))
		if len(one) != 1 || one[0].Place != 3 {
			t.Errorf("by id %+v", one)
		}
		c.browsed[6].Death = &transport.Death{Queue: "q", Reason: transport.DeathRejected}
		c.browsed[7].Death = nil
		rejected := collect(t, conn.Browse(t.Context(), "q.dlq", Filter{Reason: transport.DeathRejected}))
		if len(rejected) != 1 || rejected[0].Place != 7 {
			t.Errorf("by reason %+v", rejected)
		}
		for range conn.Browse(t.Context(), "q.dlq", Filter{}) {
			break
		}
		for name, f := range map[string]Filter{
			"state": {States: []MessageState{9}}, "age": {OlderThan: -1}, "header": {HeaderValue: "x"},
		} {
			for m, err := range conn.Browse(t.Context(), "q", f) {
				if !errors.Is(err, ErrInvalid) {
					t.Errorf("%s: %v, %v", name, m, err)
				}
			}
		}
		// A link that breaks in the middle, and a node that goes round in circles.
		c.setHook(c.losing(transport.OpQuery, false))
		if n := len(collect(t, conn.Browse(t.Context(), "q.dlq", Filter{}))); n != 8 {
			t.Errorf("browsed %d through a lost connection", n)
		}
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpQuery {
				fc.send(transport.OpQueryReply, f.Stream, transport.QueryReply{
					Body: transport.BrowseReply{Next: 0, More: true}.AppendTo(nil),
				})
			}
			return f.Op == transport.OpQuery
		})
		for _, err := range conn.Browse(t.Context(), "q.dlq", Filter{}) {
			if !errors.Is(err, ErrMalformed) {
				t.Error(err)
			}
		}
	})
}

func TestAmend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var told []Answer
		conn := c.connect(WithAnswerFunc(func(a Answer) { told = append(told, a) }))
		defer conn.Close()
		ctx := t.Context()
		c.fill(4)
		c.browsed[1].State = transport.MessageLeased
		ref := func(n uint64) MessageRef { return MessageRef{n, MessageID{0, n, 0}} }
		errs, err := conn.DeleteMessages(ctx, "q", ref(1), ref(2), ref(9))
		if err != nil || errs[0] != nil || !errors.Is(errs[1], ErrInUse) || !errors.Is(errs[2], ErrNotFound) {
			t.Errorf("deleted: %v, %v", errs, err)
		}
		if len(told) != 1 || told[0].Op != "delete messages" || told[0].Amended[2] != ref(9) || len(told[0].Codes) != 3 {
			t.Errorf("traced %+v", told)
		}
		if errs, err := conn.MoveMessages(ctx, "q", Move{To: "x", Reset: true}, ref(3)); err != nil || errs[0] != nil {
			t.Errorf("moved: %v, %v", errs, err)
		}
		if errs, err := conn.RequeueMessages(ctx, "q", true, ref(4)); err != nil || errs[0] != nil {
			t.Errorf("requeued: %v, %v", errs, err)
		}
		at := time.UnixMilli(5000).Add(time.Microsecond)
		if errs, err := conn.ScheduleMessages(ctx, "q", at, ref(4)); err != nil || errs[0] != nil {
			t.Errorf("scheduled: %v, %v", errs, err)
		}
		if errs, err := conn.ScheduleMessages(ctx, "q", time.Time{}, ref(4)); err != nil || errs[0] != nil {
			t.Errorf("scheduled for now: %v, %v", errs, err)
		}
		var got []string
		for _, a := range c.amends[1:] {
			got = append(got, fmt.Sprintf("%d %s %d %v %d", a.Action, a.To, a.AtMs, a.Reset, len(a.Items)))
		}
		equal(t, "amends", got, []string{"2 x 0 true 1", "3  0 true 1", "4  5001 false 1", "4  0 false 1"})
		if _, err := conn.MoveMessages(ctx, "q", Move{To: "!"}, ref(3)); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		c.browsed = nil
		c.fill(4)
		id := func(n uint64) MessageRef { return MessageRef{ID: MessageID{0, n, 0}} }
		refs := []MessageRef{id(3), ref(1), id(9), id(2)}
		errs, err = conn.DeleteMessages(ctx, "q", refs...)
		if err != nil || errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], ErrNotFound) || errs[3] != nil {
			t.Errorf("deleted by id: %v, %v", errs, err)
		}
		if refs[0].Place != 0 {
			t.Error("the caller's refs were written to")
		}
		if errs, err := conn.ScheduleMessages(ctx, "q", time.Time{}, id(4)); err != nil || errs[0] != nil {
			t.Errorf("scheduled by id: %v, %v", errs, err)
		}
		if errs, err := conn.DeleteMessages(ctx, "q"); err != nil || len(errs) != 0 {
			t.Errorf("nothing: %v, %v", errs, err)
		}
	})
}

// Many messages are several operations. A connection that breaks in the middle of
// one changes nothing; what is refused as a whole ends it.
func TestAmendInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(2500)
		var refs []MessageRef
		for i := range uint64(2500) {
			refs = append(refs, MessageRef{i + 1, MessageID{0, i + 1, 0}})
		}
		c.setHook(c.losing(transport.OpAmend, true))
		errs, err := conn.MoveMessages(t.Context(), "q", Move{To: "x"}, refs...)
		if err != nil || errors.Join(errs...) != nil || len(errs) != 2500 || len(c.amends) != 3 {
			t.Errorf("%d operations, %v, %v", len(c.amends), errors.Join(errs...), err)
		}
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op == transport.OpAmend && len(c.amends) == 4 {
				return &transport.Result{Code: transport.CodeNotFound}
			}
			return nil
		})
		errs, err = conn.DeleteMessages(t.Context(), "q", refs...)
		if err != nil || len(errs) != 2500 || !errors.Is(errs[999], ErrNotFound) || !errors.Is(errs[2499], ErrNotFound) {
			t.Errorf("%v", err)
		}
		if errs, err = conn.DeleteMessages(t.Context(), "q", refs[:5]...); !errors.Is(err, ErrNotFound) || errs != nil {
			t.Errorf("refused as a whole: %v, %v", errs, err)
		}
	})
}

func TestOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx := t.Context()
		// Each in the middle of a lost connection, and done once.
		for _, each := range []struct {
			op transport.Op
			do func() error
		}{
			{transport.OpQueueBreaker, func() error { return conn.OpenBreaker(ctx, "q") }},
			{transport.OpQueueBreaker, func() error { return conn.CloseBreaker(ctx, "q") }},
			{transport.OpGroupResume, func() error {
				n, err := conn.ResumeGroup(ctx, "q", "g")
				if n != 4 {
					t.Errorf("resumed %d", n)
				}
				return err
			}},
			{transport.OpTenantWeight, func() error { return conn.SetTenantWeight(ctx, "q", "t", 3) }},
			{transport.OpTopicCreate, func() error { return conn.CreateTopic(ctx, "t", TopicSettings{}) }},
			{transport.OpSubscribe, func() error { return conn.Subscribe(ctx, Subscription{Topic: "t", Queue: "s"}) }},
			{transport.OpTopicDelete, func() error { return conn.DeleteTopic(ctx, "t", IfUnused()) }},
		} {
			for _, applied := range []bool{false, true} {
				before := len(c.ops)
				c.setHook(c.losing(each.op, applied))
				if err := each.do(); err != nil {
					t.Errorf("%v: %v", each.op, err)
				}
				if got := c.ops[before:]; len(got) != 1 || got[0] != each.op {
					t.Errorf("%v was done as %v", each.op, got)
				}
			}
		}
		c.setHook(nil)
		if err := conn.SetTenantWeight(ctx, "q", "t", 0); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		if err := conn.CreateTopic(ctx, "t", TopicSettings{Dedup: time.Millisecond}); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}

func TestTopicsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx := t.Context()
		if info, err := conn.Topic(ctx, "t"); err != nil || info.Name != "t" || info.Subscriptions != 2 {
			t.Errorf("topic %+v, %v", info, err)
		}
		if all := collect(t, conn.Topics(ctx, "")); len(all) != 2 || all[1].Name != "b" {
			t.Errorf("topics %+v", all)
		}
		if all := collect(t, conn.Subscriptions(ctx, "t")); len(all) != 1 || all[0].Topic != "t" || all[0].Filter != ">" {
			t.Errorf("subscriptions %+v", all)
		}
		if all := collect(t, conn.Tenants(ctx, "q")); !slices.Equal(all, []TenantInfo{{"", 2}, {"a", 3}, {"b", 4}}) {
			t.Errorf("tenants %+v", all)
		}
		e, err := conn.Explain(ctx, "q")
		if err != nil || e.Queue != "q" || e.Reasons[0].Kind != "scheduled" || e.Reasons[0].Until.UnixMilli() != 5000 || e.Reasons[1].TakesBytes != -1 {
			t.Errorf("explained %+v, %v", e, err)
		}
		id, err := ParseMessageID("9-7-2")
		if err != nil {
			t.Fatal(err)
		}
		tr, err := conn.Trace(ctx, id)
		if err != nil || tr.FromIndex != 9 || tr.Events[0].Index != 7 || tr.Events[1].Index != 2 || tr.Events[1].At.UnixMilli() != 7 {
			t.Errorf("traced %+v, %v", tr, err)
		}
		for _, bad := range []string{"", "1-2", "1-2-3-4", "a-b-c", "-1-2-3", "1-2-99999999999"} {
			if _, err := ParseMessageID(bad); !errors.Is(err, ErrInvalid) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		// A single publish under a subject knows how many queues got it.
		c.setVerdict(func(transport.Op, []byte) *transport.Result { return &transport.Result{Value: 6} })
		r, err := conn.Publish(ctx, "t", Message{Subject: "a.b"})
		if err != nil || r.Queues != 6 {
			t.Errorf("published %+v, %v", r, err)
		}
		rs, err := conn.PublishBatch(ctx, "t", make([]Message, 3))
		if err != nil || rs[0].Queues != -1 {
			t.Errorf("published %+v, %v", rs, err)
		}
	})
}
