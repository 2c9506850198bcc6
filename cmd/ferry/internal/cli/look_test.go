package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// someMessages are a ready, a scheduled and a dead message.
func someMessages(t *testing.T) transport.BrowseReply {
	return transport.BrowseReply{Messages: []transport.BrowsedMessage{
		{Place: 1, Index: 11, State: transport.MessageReady, Bytes: 5, Priority: 4, EnqueuedMs: 1_000,
			Record: recordOf(t, &record.Message{Body: []byte("hello")})},
		{Place: 2, Index: 12, State: transport.MessageScheduled, Bytes: 6, Priority: 9, GroupKey: "g", EnqueuedMs: 1_000, ReadyMs: 4_102_444_800_000,
			Record: recordOf(t, &record.Message{Body: []byte("\x1b[31m!")})},
		{Place: 3, Index: 13, Position: 1, State: transport.MessageReady, Bytes: 4, Priority: 4, EnqueuedMs: 1_000, Attempts: 2, Failures: 2,
			Death:  &transport.Death{Queue: "orders", Reason: "rejected", Error: "bad data", History: []transport.Attempt{{Token: 7, Error: "bad"}}},
			Record: recordOf(t, &record.Message{Body: []byte{0xff}})},
	}}
}

func TestBrowse(t *testing.T) {
	n := newFakeNode(t)
	n.replies[transport.QueryBrowse] = someMessages(t)
	out := n.run(ExitOK, "", "message", "browse", "orders", "--state", "ready,scheduled", "--header", "k=v", "--group", "g",
		"--tenant", "t", "--older-than", "1m", "--younger-than", "1h").out
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 4)
	require.Equal(t, []string{"ID", "STATE", "AGE", "BYTES", "ATTEMPTS", "FAILURES", "PRIORITY", "GROUP", "READY", "AT", "DIED", "IN", "REASON", "ERROR"},
		strings.Fields(lines[0]), "columns that are empty are left out")
	require.Contains(t, lines[2], "2100-01-01T00:00:00Z")
	require.Contains(t, lines[3], "bad data")
	var q transport.BrowseQuery
	require.NoError(t, q.Decode(n.queries[0].Body))
	require.Equal(t, transport.BrowseQuery{
		Queue: "orders", Limit: 1000, States: transport.StatesOf(transport.MessageReady, transport.MessageScheduled),
		HeaderKey: "k", HeaderValue: "v", GroupKey: "g", Tenant: "t", OlderThanMs: 60_000, YoungerThanMs: 3_600_000}, q)

	out = n.run(ExitOK, "", "message", "browse", "orders", "--body").out
	require.Contains(t, out, "hello")
	require.Contains(t, out, `"\x1b[31m!"`, "nothing that moves the cursor")

	out = n.run(ExitOK, "", "message", "browse", "orders", "--body", "-o", "json", "--reason", "rejected").out
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &v), "one line: %s", out)
	require.Equal(t, "0-13-1", v["id"])
	require.EqualValues(t, 3, v["place"])
	require.Equal(t, "/w==", v["body_base64"])
	require.Equal(t, "bad", v["death"].(map[string]any)["history"].([]any)[0].(map[string]any)["error"])

	require.Equal(t, 2, strings.Count(n.run(ExitOK, "", "message", "browse", "orders", "-o", "json", "--limit", "2").out, "\n"))
	r := n.run(ExitOK, "", "message", "browse", "orders", "--limit", "1")
	require.Equal(t, 2, strings.Count(r.out, "\n"))
	require.Contains(t, r.err, "--limit 0")
	out = n.run(ExitOK, "", "message", "browse", "orders", "-o", "json", "--id", "0-12-0", "--id", "0-11-0@1").out
	require.Contains(t, out, "0-11-0")
	require.Contains(t, out, "0-12-0")
	require.NotContains(t, out, "0-13-1")
}

func TestExplain(t *testing.T) {
	n := newFakeNode(t)
	n.run(ExitNotFound, "", "explain", "orders")
	n.replies[transport.QueryExplain] = transport.ExplainReply{Queue: "orders"}
	require.Equal(t, "nothing holds up queue orders\n", n.run(ExitOK, "", "explain", "orders").out)
	n.replies[transport.QueryExplain] = transport.ExplainReply{Queue: "orders", Reasons: []transport.ExplainReason{
		{Kind: transport.ExplainNoConsumer, Text: "no consumer is attached"},
		{Kind: transport.ExplainScheduled, Text: "3 messages are not due", Count: 3, AtMs: 4_102_444_800_000},
		{Kind: transport.ExplainAloneWaits, Text: "1 message goes alone", Count: 1, Name: "abcd/7"},
		{Kind: transport.ExplainGroupsParked, Text: "a group is held", Count: 1, Name: "g\x1b[31m\nrow"},
		{Kind: transport.ExplainTopicRefuses, Text: "the topic refuses some", Count: 1, Name: "audit", TakesBytes: 0},
		{Kind: transport.ExplainTopicUnseen, Text: "3 others may refuse, too", Count: 3, Name: "events"},
	}}
	out := n.run(ExitOK, "", "explain", "orders").out
	lines := strings.Split(out, "\n")
	require.Regexp(t, `^1 +no_consumer +no consumer is attached`, lines[1])
	require.Regexp(t, `^2 +scheduled +3 messages are not due +3 +2100-01-01T00:00:00Z`, lines[2])
	require.Regexp(t, `^3 +alone_waits +1 message goes alone +1 +abcd/7`, lines[3])
	require.Contains(t, lines[4], `"g\x1b[31m\nrow"`, "what is in a name moves no cursor")
	require.Regexp(t, `^6 +topic_unseen +3 others may refuse, too +3 +events`, lines[6])
	var v explanationView
	out = n.run(ExitOK, "", "explain", "orders", "-o", "json").out
	require.Equal(t, 1, strings.Count(out, `"takesBytes":0`), "of what tells it, and of nothing else")
	require.NoError(t, json.Unmarshal([]byte(out), &v))
	require.Len(t, v.Reasons, 6)
	require.Equal(t, "no_consumer", v.Reasons[0].Kind)
	require.Equal(t, "abcd/7", v.Reasons[2].Name)
}

// TestClusterAlarms: whoever looks at the cluster sees why publishes are refused.
func TestClusterAlarms(t *testing.T) {
	n := newFakeNode(t)
	status := transport.GroupStatus{Leader: "n1", Members: []transport.MemberInfo{{Node: "n1", Leader: true, Voter: true, Healthy: true}}}
	n.replies[transport.QueryCluster] = transport.ClusterInfo{Node: "n2", Groups: []transport.GroupStatus{status}}
	require.NotContains(t, n.run(ExitOK, "", "cluster", "status").out, "alarms")
	require.Contains(t, n.run(ExitOK, "", "cluster", "status", "-o", "json").out, `"alarms":[]`)
	status.Alarms = []string{"memory", "disk"}
	n.replies[transport.QueryCluster] = transport.ClusterInfo{Node: "n2", Groups: []transport.GroupStatus{status}}
	require.Contains(t, n.run(ExitOK, "", "cluster", "status").out, "applied 0\nalarms: memory, disk\n")
	require.Contains(t, n.run(ExitOK, "", "cluster", "status", "-o", "json").out, `"alarms":["memory","disk"]`)
}

func TestTrace(t *testing.T) {
	n := newFakeNode(t)
	n.replies[transport.QueryTrace] = transport.TraceReply{FromIndex: 5, FromMs: 1_000}
	r := n.run(ExitNotFound, "", "trace", "0-17-3")
	require.Contains(t, r.err, "since entry 5 of the log, 1970-01-01T00:00:01Z")
	n.replies[transport.QueryTrace] = transport.TraceReply{FromIndex: 1, Events: []transport.TraceEvent{
		{Index: 17, WallMs: 1_000, Queue: "orders", Kind: transport.TracePublished, Session: transport.SessionID{0x12}, Node: "n2"},
		{Index: 18, WallMs: 2_000, Queue: "orders", Kind: transport.TraceDelivered, Token: 4, Session: transport.SessionID{0xab, 0xcd}, Consumer: 2, Node: "n1"},
		{Index: 19, WallMs: 3_000, Queue: "orders", Kind: transport.TraceRejected, Token: 4, Detail: "bad data"},
	}}
	out := n.run(ExitOK, "", "trace", "0-17-3@9").out
	require.Regexp(t, `delivered +orders +18 +4 +abcd0000 +2 +n1`, out)
	require.Regexp(t, `published +orders +17 +12000000 +n2`, out)
	require.Contains(t, out, "bad data")
	require.Contains(t, out, "everything is remembered\n")
	var v traceView
	require.NoError(t, json.Unmarshal([]byte(n.run(ExitOK, "", "trace", "0-17-3", "-o", "json").out), &v))
	require.Len(t, v.Events, 3)
	require.Equal(t, "abcd0000000000000000000000000000", v.Events[1].Session)
	var q transport.TraceQuery
	require.NoError(t, q.Decode(n.queries[0].Body))
	require.Equal(t, transport.TraceQuery{Index: 17, Position: 3}, q)
}
