package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// TestConsumeWithoutLeader: a queue is taken for empty only if its leader was
// there to hand something out.
func TestConsumeWithoutLeader(t *testing.T) {
	drain := []string{"consume", "q", "--idle", "10ms", "--ack=false", "--timeout", "3s"}
	queue := transport.QueueInfo{Name: "q"}
	one := func(body string) []transport.Delivery {
		return []transport.Delivery{{Incarnation: 5, Place: 1, Index: 1, Token: 1, Attempt: 1, LeaseMs: 60_000,
			Record: recordOf(t, &record.Message{Body: []byte(body)})}}
	}

	t.Run("it is empty", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.replies["queue"] = queue
		require.Empty(t, n.run(ExitOK, "", drain...).out)
	})
	t.Run("never a leader", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.replies["queue"] = queue
		n.verdicts[transport.OpAttach] = transport.Result{Code: transport.CodeNoLeader}
		n.run(ExitUnavailable, "", drain...)
	})
	t.Run("lost on the way", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.replies["queue"] = queue
		n.deliver = one("chair")
		n.loses = true
		r := n.run(ExitUnavailable, "", drain...)
		require.Equal(t, "chair\n", r.out)
		require.Contains(t, r.err, "not attached to the queue's leader for 3s, so messages may wait")
	})
	t.Run("held up together with the answer", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.replies["queue"] = queue
		n.held = one("table")
		require.Equal(t, "table\n", n.run(ExitOK, "", drain...).out)
	})
	t.Run("it hangs, or was cut off a moment ago", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.queryCode = transport.CodeNoLeader
		require.Contains(t, n.run(ExitUnavailable, "", drain...).err, "whether messages wait")
	})
	t.Run("it was replaced when it had answered", func(t *testing.T) {
		t.Parallel()
		n := newFakeNode(t)
		n.replies["queue"] = queue
		n.changes = true
		require.Contains(t, n.run(ExitUnavailable, "", drain...).err, "whether messages wait")
	})
}
