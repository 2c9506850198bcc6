package cli

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// allSettings are those of a subscription; a queue has a window of ids, too.
var allSettings = []string{
	"--max-messages", "10", "--max-bytes", "2KiB", "--overflow", "drop-oldest", "--failure-limit", "unlimited", "--lease", "30s",
	"--dlq-max-messages", "3", "--dlq-max-bytes", "4KiB", "--ttl", "1h", "--expired-to-dlq", "--retry", "linear", "--retry-base", "2s",
	"--retry-max", "1m", "--retry-factor", "3", "--starvation-guard", "off", "--group-failure", "dlq-group", "--group-batch", "5",
	"--exclusive", "--fair", "--breaker", "--dispatch-rate", "200", "--dispatch-burst", "7",
}

var allSet = transport.QueueSettings{
	MaxMessages: 10, MaxBytes: 2048, Overflow: transport.OverflowDropOldest, FailureLimit: -1, LeaseMs: 30_000,
	DLQMessages: 3, DLQBytes: 4096, TTLMs: 3_600_000, ExpiredDead: true, Retry: transport.RetryLinear, RetryBaseMs: 2_000,
	RetryMaxMs: 60_000, RetryFactor: 3, StarvationGuard: -1, GroupFailure: transport.GroupDead, GroupBatch: 5,
	Exclusive: true, Fair: true, DedupMs: 600_000, DedupCapacity: 1000, Breaker: true, DispatchRate: 200, DispatchBurst: 7,
}

func TestSettings(t *testing.T) {
	n := newFakeNode(t)
	n.run(ExitOK, "", append([]string{"queue", "create", "orders", "--dedup-window", "10m", "--dedup-capacity", "1000"}, allSettings...)...)
	var c transport.QueueCreate
	n.lastOp(transport.OpQueueCreate, &c)
	require.Equal(t, allSet, c.Settings)

	// An update changes what is named.
	update := func(args ...string) transport.QueueSettings {
		n.run(ExitOK, "", append([]string{"queue", "update", "orders"}, args...)...)
		var u transport.QueueUpdate
		n.lastOp(transport.OpQueueUpdate, &u)
		return u.Settings
	}
	n.replies["queue"] = transport.QueueInfo{Name: "orders", Settings: allSet}
	want := allSet
	want.Retry, want.Breaker = transport.RetryFixed, false
	require.Equal(t, want, update("--retry", "fixed", "--breaker=false"))
	want = allSet
	want.DedupMs, want.DedupCapacity, want.DispatchRate, want.DispatchBurst = 0, 0, 0, 0
	require.Equal(t, want, update("--dedup-window", "0", "--dispatch-rate", "0"), "what means nothing without them goes, too")
	want = allSet
	want.DispatchRate = 400
	require.Equal(t, want, update("--dispatch-rate", "400"))
	derived := allSet
	derived.DispatchBurst = 20
	n.replies["queue"] = transport.QueueInfo{Name: "orders", Settings: derived}
	want.DispatchBurst = 0
	require.Equal(t, want, update("--dispatch-rate", "400"), "a burst that followed the rate goes on following")

	// A subscription that is not required never refuses a message, and one that is misses none.
	n.replies["queue"] = transport.QueueInfo{Name: "orders", Topic: "events", Settings: allSet}
	updates := n.countOps(transport.OpQueueUpdate)
	require.Contains(t, n.run(ExitUsage, "", "queue", "update", "orders", "--overflow", "reject").err, "needs --required")
	n.replies["queue"] = transport.QueueInfo{Name: "orders", Topic: "events", Required: true, Settings: allSet}
	require.Contains(t, n.run(ExitUsage, "", "queue", "update", "orders", "--overflow", "drop-new").err, "would miss messages")
	require.Equal(t, updates, n.countOps(transport.OpQueueUpdate))

	n.run(ExitUsage, "", "queue", "create", "q", "--retry", "sometimes")
	r := n.run(ExitUsage, "", "queue", "create", "q", "--overflow", "x", "--starvation-guard", "0")
	require.Contains(t, r.err, "2 mistakes")
}

func TestShowQueue(t *testing.T) {
	n := newFakeNode(t)
	n.replies["queue"] = transport.QueueInfo{
		Name: "orders", Settings: allSet, Ready: 1, Leased: 2, Scheduled: 3, Retrying: 4, Parked: 5, Groups: 6, GroupsParked: 1,
		Expired: 7, Overflowed: 8, Missed: 9, Duplicates: 10, DedupIDs: 11, Topic: "events", Filter: "order.>", Required: true,
		Breaker: transport.BreakerInfo{State: transport.BreakerIsOpen, ByHand: true},
	}
	weights := transport.TenantList{Tenants: []transport.TenantInfo{{Weight: 2}, {Name: "acme", Weight: 3}}}
	for i := range 9 {
		weights.Tenants = append(weights.Tenants, transport.TenantInfo{Name: fmt.Sprint("b", i), Weight: 4})
	}
	n.replies[transport.QueryTenants] = weights
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(n.run(ExitOK, "", "queue", "show", "orders", "-o", "json").out), &v))
	require.Len(t, v["tenant_weights"], 11)
	require.Subset(t, v["tenant_weights"], map[string]any{"": 2., "acme": 3., "b8": 4.})
	for name, want := range map[string]any{
		"scheduled": 3., "retrying": 4., "parked": 5., "groups": 6., "groups_parked": 1., "expired": 7., "overflowed": 8., "missed": 9.,
		"duplicates": 10., "dedup_ids": 11., "overflow": "drop-oldest", "ttl_ms": 3_600_000., "expired_to_dlq": true, "retry": "linear",
		"retry_base_ms": 2_000., "retry_max_ms": 60_000., "retry_factor": 3., "starvation_guard": -1., "group_failure": "dlq-group",
		"group_batch": 5., "exclusive": true, "fair": true, "dedup_window_ms": 600_000., "dedup_capacity": 1000., "dispatch_rate": 200.,
		"dispatch_burst": 7., "failure_limit": -1., "max_bytes": 2048., "lease_ms": 30_000.,
		"breaker":      map[string]any{"state": "open", "by_hand": true},
		"subscription": map[string]any{"topic": "events", "filter": "order.>", "required": true, "session": false},
	} {
		require.Equal(t, want, v[name], name)
	}
	out := n.run(ExitOK, "", "queue", "show", "orders").out
	for _, line := range []string{
		`Subscription: +of topic events, filter order.>, required`, `State: +breaker open`, `Scheduled: +3`, `Retrying: +4`, `Parked: +5`,
		`Groups: +6, 1 parked`, `Expired: +7`, `Overflowed: +8`, `Missed: +9`, `Duplicates: +10`, `Breaker: +open, by hand`,
		`Limits: +10 messages, 2.0 KiB; when full: drop-oldest`, `Time to live: +1h0m0s, then dead-lettered`, `Retry: +linear: 2s, at most 1m0s`,
		`Window of message ids: +10m0s, 11 of 1000 ids`, `Dispatch rate: +200 messages a second, 7 at once`, `Tenants: +take turns, by weight: \(none\) 2, acme 3, b0 4, .*b5 4, 3 more\n`,
	} {
		require.Regexp(t, line, out)
	}
}

func TestPublishAttributes(t *testing.T) {
	n := newFakeNode(t)
	publish := func(args ...string) *record.Message {
		n.run(ExitOK, "", append([]string{"publish", "orders", "x"}, args...)...)
		var p transport.Publish
		n.lastOp(transport.OpPublish, &p)
		return sent(t, p.Records)
	}
	require.Nil(t, publish().Priority)
	require.EqualValues(t, 0, *publish("--priority", "0").Priority)
	m := publish("--group", "g", "--tenant", "t", "--ttl", "1m", "--delay", "2s", "--dedup-id", "d", "--subject", "order.created",
		"--reply-to", "answers", "--header", "k=v")
	require.Equal(t, record.Message{
		Body: []byte("x"), GroupKey: "g", Tenant: "t", TTLMillis: 60_000, DelayMillis: 2_000, DedupID: "d", Subject: "order.created",
		ReplyTo: "answers", Headers: []record.Header{{Key: "k", Value: "v"}},
	}, *m)
	require.EqualValues(t, 4_102_444_800_000, publish("--deliver-at", "2100-01-01T00:00:00Z").DeliverAtMillis)

	answer := func(r transport.Result, args ...string) string {
		r.Index = 100
		n.tell(func() { n.verdicts[transport.OpPublish] = r })
		return n.run(ExitOK, "a\nb\n", append([]string{"publish", "orders"}, args...)...).out
	}
	require.Equal(t, "confirmed 0-100-0 in 3 queues\n", answer(transport.Result{Value: 3}, "x"))
	duplicate := transport.Result{Items: []transport.Verdict{{Code: transport.CodeDuplicate, FirstIndex: 17, FirstPosition: 2}}}
	require.Equal(t, "confirmed 0-100-0: a duplicate of 0-17-2\n", answer(duplicate, "x"))
	require.Contains(t, answer(duplicate, "x", "-o", "json"), `"first":"0-17-2"`)
	require.Equal(t, "confirmed 0-100-0: dropped, the queue is full\n", answer(transport.Result{Code: transport.CodeDropped}, "x"))
	require.Equal(t, "confirmed 2 of 2 messages, 2 of them dropped by the full queue\n", answer(transport.Result{Code: transport.CodeDropped}, "--lines"))
}

func TestTopics(t *testing.T) {
	n := newFakeNode(t)
	require.Equal(t, "topic events created\n", n.run(ExitOK, "", "topic", "create", "events", "--dedup-window", "1m", "--dedup-capacity", "9").out)
	var c transport.TopicCreate
	n.lastOp(transport.OpTopicCreate, &c)
	require.Equal(t, transport.TopicSettings{DedupMs: 60_000, DedupCapacity: 9}, c.Settings)
	n.run(ExitOK, "", "topic", "delete", "events", "--if-unused")
	var d transport.TopicDelete
	n.lastOp(transport.OpTopicDelete, &d)
	require.True(t, d.IfUnused)

	n.run(ExitOK, "", append([]string{"topic", "subscribe", "events", "invoices", "--filter", "order.*", "--required"}, allSettings...)...)
	var s transport.Subscribe
	n.lastOp(transport.OpSubscribe, &s)
	s.OpHeader = transport.OpHeader{}
	want := allSet
	want.DedupMs, want.DedupCapacity = 0, 0
	require.Equal(t, transport.Subscribe{Topic: "events", Queue: "invoices", Filter: "order.*", Required: true, Settings: want}, s)

	info := transport.TopicInfo{Name: "events", Subscriptions: 2, Published: 5}
	n.replies[transport.QueryTopic] = info
	n.replies[transport.QueryTopics] = transport.TopicList{Topics: []transport.TopicInfo{info}}
	n.replies[transport.QuerySubscriptions] = transport.QueueList{Queues: []transport.QueueInfo{{Name: "watch", Topic: "events", Filter: ">", Session: true, Missed: 4}}}
	require.Regexp(t, `Subscriptions: +2`, n.run(ExitOK, "", "topic", "show", "events").out)
	require.Regexp(t, `events +2 +5 +0`, n.run(ExitOK, "", "topic", "list").out)
	require.Contains(t, n.run(ExitOK, "", "topic", "list", "ev", "-o", "json").out, `"published":5`)
	require.Regexp(t, `watch +> +lossy, session +0 +0 +0 B +0 +4 +running`, n.run(ExitOK, "", "topic", "subscriptions", "events").out)
}
