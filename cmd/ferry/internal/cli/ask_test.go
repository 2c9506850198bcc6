package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

func TestRequest(t *testing.T) {
	n := newFakeNode(t)
	n.answer = &transport.Answer{Index: 200, Record: recordOf(t, &record.Message{Body: []byte("42"), ContentType: "text/plain"})}
	require.Equal(t, "42\n", n.run(ExitOK, "", "request", "prices", "chair", "--no-retry", "--tenant", "acme").out)
	var q transport.Request
	n.lastOp(transport.OpRequest, &q)
	require.True(t, q.NoRetry)
	m := sent(t, q.Records)
	require.Equal(t, "chair", string(m.Body))
	require.Equal(t, "acme", m.Tenant)
	require.WithinDuration(t, time.Now().Add(defaultTimeout), time.UnixMilli(int64(m.DeadlineMillis)), time.Minute)
	require.JSONEq(t, `{"queue":"prices","id":"0-200-0","empty":false,"content_type":"text/plain","body":"42"}`,
		n.run(ExitOK, "chair", "request", "prices", "-o", "json").out)

	n.tell(func() { n.answer = &transport.Answer{} })
	require.Empty(t, n.run(ExitOK, "", "request", "prices", "chair").out)
	require.JSONEq(t, `{"queue":"prices","empty":true}`, n.run(ExitOK, "", "request", "prices", "chair", "-o", "json").out)

	for code, exit := range map[transport.Code]int{
		transport.CodeExpired: ExitExpired, transport.CodeResponderLost: ExitLost, transport.CodeDeadLettered: ExitDead,
	} {
		n.tell(func() { n.answer = &transport.Answer{Code: code} })
		n.run(exit, "", "request", "prices", "chair")
	}
	n.tell(func() {
		n.answer = nil
		n.verdicts[transport.OpRequest] = transport.Result{Index: 100, Code: transport.CodeNoResponders}
	})
	n.run(ExitNoResponder, "", "request", "prices", "chair")
}

// replying runs `ferry reply` on some requests until each is settled.
func replying(t *testing.T, n *fakeNode, bodies []string, args ...string) ran {
	t.Helper()
	requested(t, n, bodies)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan ran, 1)
	go func() {
		ended <- ferryContext(ctx, map[string]string{"FERRY_URL": n.url}, "", append([]string{"reply", "prices"}, args...)...)
	}()
	require.Eventually(t, func() bool {
		return n.countOps(transport.OpReply)+len(settled(t, n)) == len(bodies)
	}, time.Minute, time.Millisecond)
	cancel()
	return <-ended
}

// requested has the node deliver requests.
func requested(t *testing.T, n *fakeNode, bodies []string) {
	for i, b := range bodies {
		n.deliver = append(n.deliver, transport.Delivery{
			Incarnation: 5, Place: uint64(i + 1), Index: uint64(i + 1), Token: uint64(i + 1), Attempt: 1, LeaseMs: 60_000, Request: true,
			Record: recordOf(t, &record.Message{Body: []byte(b), CorrelationID: "c", DeadlineMillis: 4_102_444_800_000}),
		})
	}
}

func settled(t *testing.T, n *fakeNode) (all []transport.SettleItem) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.ops {
		if o.op == transport.OpSettle {
			var s transport.Settle
			require.NoError(t, s.Decode(o.payload))
			all = append(all, s.Items...)
		}
	}
	return all
}

func TestReply(t *testing.T) {
	n := newFakeNode(t)
	r := replying(t, n, []string{"chair"}, "--exec", `tr a-z A-Z; echo " $FERRY_ID $FERRY_ATTEMPT $FERRY_QUEUE"`, "--content-type", "text/plain")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Regexp(t, `^0-1-0 +\d+m?s +worked\n$`, r.out)
	var p transport.Reply
	n.lastOp(transport.OpReply, &p)
	m := sent(t, p.Records)
	require.Equal(t, "CHAIR 0-1-0 1 prices\n", string(m.Body))
	require.Equal(t, "text/plain", m.ContentType)
	require.Equal(t, "c", m.CorrelationID)

	n = newFakeNode(t)
	r = replying(t, n, []string{"same"}, "--echo", "-o", "json")
	require.Equal(t, ExitOK, r.code, r.err)
	var v workView
	require.NoError(t, json.Unmarshal([]byte(r.out), &v))
	require.Equal(t, "0-1-0", v.ID)
	n.lastOp(transport.OpReply, &p)
	require.Equal(t, "same", string(sent(t, p.Records).Body))
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestReplyEndsWithItsOutput: what it did would be told to nobody.
func TestReplyEndsWithItsOutput(t *testing.T) {
	n := newFakeNode(t)
	requested(t, n, []string{"a", "b", "c"})
	var told strings.Builder
	code := Run(t.Context(), []string{"reply", "prices", "--echo", "--url", n.url}, Streams{
		In: strings.NewReader(""), Out: fullDisk{}, Err: &told, Env: func(string) (string, bool) { return "", false },
	})
	require.Equal(t, ExitFailed, code)
	require.Equal(t, "ferry: no space left\n", told.String())
}

// TestReplyFailures: exit codes say whose fault it was.
func TestReplyFailures(t *testing.T) {
	n := newFakeNode(t)
	script := `read code; echo first >&2; echo "no such chair" >&2; echo >&2; exit $code`
	r := replying(t, n, []string{"1", "65", "75"}, "--exec", script)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Equal(t, 3, strings.Count(r.err, "no such chair"), "what commands say is passed on")
	require.Equal(t, 3, strings.Count(r.out, "failed: no such chair\n"))
	for i, want := range []transport.SettleItem{
		{Action: transport.ActionNack, Reason: transport.ReasonMessage},
		{Action: transport.ActionReject},
		{Action: transport.ActionNack, Reason: transport.ReasonDownstream},
	} {
		want.Incarnation, want.Place, want.Token, want.Error = 5, uint64(i+1), uint64(i+1), "no such chair"
		require.Contains(t, settled(t, n), want)
	}
	n = newFakeNode(t)
	replying(t, n, []string{"x"}, "--exec", "exit 3")
	require.Equal(t, "exit status 3", settled(t, n)[0].Error)
	n = newFakeNode(t)
	replying(t, n, []string{"x"}, "--exec", "yes | head -c 2000000")
	require.Equal(t, transport.ActionReject, settled(t, n)[0].Action, "no attempt would make it shorter")
}
