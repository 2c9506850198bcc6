package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

func TestChangeMessages(t *testing.T) {
	n := newFakeNode(t)
	n.replies[transport.QueryBrowse] = someMessages(t)
	last := func() (a transport.Amend) {
		n.lastOp(transport.OpAmend, &a)
		a.OpHeader = transport.OpHeader{}
		return a
	}

	require.Equal(t, "deleted 1 of 1 messages of queue orders\n", n.run(ExitOK, "", "message", "delete", "orders", "0-12-0").out)
	require.Equal(t, transport.Amend{Queue: "orders", Action: transport.AmendDelete, Items: []transport.AmendItem{{Place: 2, Index: 12}}}, last())

	// Those that are not there are told, the others are changed.
	n.verdicts[transport.OpAmend] = transport.Result{Index: 100, Items: []transport.Verdict{{}, {Code: transport.CodeNotFound}, {}}}
	r := n.run(ExitNotFound, "0-11-0\n\n0-99-0\n0-13-1\n", "message", "move", "orders", "-", "--to", "other", "--reset")
	require.Contains(t, r.out, "moved 2 of 3 messages of queue orders\n")
	require.Contains(t, r.out, "0-99-0  move messages \"orders\": not found")
	require.Contains(t, r.err, "1 of 3 messages were not moved, for example: move messages \"orders\": not found: message 0-99-0")
	require.Equal(t, transport.Amend{Queue: "orders", Action: transport.AmendMove, To: "other", Reset: true,
		Items: []transport.AmendItem{{Place: 1, Index: 11}, {Index: 99}, {Place: 3, Index: 13, Position: 1}}}, last())

	delete(n.verdicts, transport.OpAmend)

	// Where the places are told, nothing is looked for.
	looks := len(n.queries)
	n.run(ExitOK, "", "message", "requeue", "orders", "0-11-0@77", "--reset")
	require.Len(t, n.queries, looks)
	require.Equal(t, transport.Amend{Queue: "orders", Action: transport.AmendRequeue, Reset: true, Items: []transport.AmendItem{{Place: 77, Index: 11}}}, last())

	n.run(ExitOK, "", "message", "schedule", "orders", "0-12-0", "--at", "2100-01-01T00:00:00Z")
	require.EqualValues(t, 4_102_444_800_000, last().AtMs)
	n.run(ExitOK, "", "message", "schedule", "orders", "0-12-0", "--now")
	require.Zero(t, last().AtMs)
	n.run(ExitOK, "", "message", "schedule", "orders", "0-12-0", "--delay", "1h")
	require.WithinDuration(t, time.Now().Add(time.Hour), time.UnixMilli(last().AtMs), time.Minute)

	n.verdicts[transport.OpAmend] = transport.Result{Index: 100, Items: []transport.Verdict{{}, {Code: transport.CodeInUse}}}
	var v struct {
		Done     string
		Messages int
		Failed   []failedView
	}
	out := n.run(ExitRefused, "", "message", "delete", "orders", "0-11-0", "0-12-0", "-o", "json").out
	require.NoError(t, json.Unmarshal([]byte(out), &v))
	require.Equal(t, "deleted", v.Done)
	require.Equal(t, 1, v.Messages)
	require.Equal(t, "0-12-0", v.Failed[0].ID)
	require.Contains(t, v.Failed[0].Error, "in use")
}

func TestRedrive(t *testing.T) {
	n := newFakeNode(t)
	n.replies["queue"] = transport.QueueInfo{Name: "orders", DeadLetter: "orders.dlq"}
	n.replies[transport.QueryBrowse] = someMessages(t)
	require.Equal(t, "3 messages of orders.dlq would be moved\n", n.run(ExitOK, "", "dlq", "redrive", "orders", "--all", "--dry-run").out)
	require.Zero(t, n.countOps(transport.OpAmend))

	require.Equal(t, "moved 3 of 3 messages of orders.dlq\n", n.run(ExitOK, "", "dlq", "redrive", "orders", "--all").out)
	require.Equal(t, "moved 1 of 1 messages of orders.dlq\n", n.run(ExitOK, "", "dlq", "redrive", "orders", "--reason", "rejected", "--to", "other", "--reset").out)
	var a transport.Amend
	n.lastOp(transport.OpAmend, &a)
	a.OpHeader = transport.OpHeader{}
	require.Equal(t, transport.Amend{Queue: "orders.dlq", Action: transport.AmendMove, To: "other", Reset: true,
		Items: []transport.AmendItem{{Place: 3, Index: 13, Position: 1}}}, a)

	n.verdicts[transport.OpAmend] = transport.Result{Index: 100, Items: []transport.Verdict{{Code: transport.CodeInvalid}}}
	r := n.run(ExitRefused, "", "dlq", "redrive", "orders", "--id", "0-11-0", "-o", "json")
	require.Contains(t, r.err, "1 messages were refused, for example 0-11-0")
	var v struct {
		From                          string
		Matched, Moved, Gone, Refused int
		Failed                        []failedView
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &v))
	require.Equal(t, 1, v.Refused)
	require.Len(t, v.Failed, 1)
}

// TestRedriveInterrupted: it tells how far it came, and whether that is known:
// the answer to its first step may or may not be back by then.
func TestRedriveInterrupted(t *testing.T) {
	n := newFakeNode(t)
	n.replies["queue"] = transport.QueueInfo{Name: "orders", DeadLetter: "orders.dlq"}
	n.replies[transport.QueryBrowse] = someMessages(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan ran, 1)
	go func() {
		ended <- ferryContext(ctx, map[string]string{"FERRY_URL": n.url}, "", "dlq", "redrive", "orders", "--all", "--rate", "0.001")
	}()
	require.Eventually(t, func() bool { return n.countOps(transport.OpAmend) == 1 }, time.Minute, time.Millisecond)
	cancel()
	r := <-ended
	if r.code == ExitUnknown {
		require.Contains(t, r.out, "moved 0 of 3 messages of orders.dlq")
		require.Contains(t, r.err, "ended after 0 of 3 messages, the last step may or may not have been done, the others are where they were")
		return
	}
	require.Equal(t, ExitInterrupted, r.code, r.err)
	require.Contains(t, r.out, "moved 1 of 3 messages of orders.dlq")
	require.Contains(t, r.err, "ended after 1 of 3 messages, the others are where they were")
}

// TestTooManyIDs: no more ids are taken than one call takes, and nothing is
// changed then.
func TestTooManyIDs(t *testing.T) {
	n := newFakeNode(t)
	ids := strings.Repeat("0-11-0@7\n", client.MaxRefs)
	require.Contains(t, n.run(ExitOK, ids, "message", "delete", "orders", "-").out, "deleted 100000 of 100000 messages")
	done := n.countOps(transport.OpAmend)
	r := n.run(ExitUsage, ids+"0-12-0@8\n", "message", "delete", "orders", "-")
	require.Contains(t, r.err, "standard input has more than 100000 ids")
	require.Equal(t, done, n.countOps(transport.OpAmend))
}
