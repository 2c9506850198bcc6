package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// TestConsumerFlags: what a consumer is told to hold, and whose fault a nack is.
func TestConsumerFlags(t *testing.T) {
	for _, c := range []struct {
		args  []string
		lease uint32
		bytes uint32
		want  transport.SettleItem
	}{
		{nil, 0, 8 << 20, transport.SettleItem{Reason: transport.ReasonMessage}},
		{[]string{"--downstream"}, 0, 8 << 20, transport.SettleItem{Reason: transport.ReasonDownstream}},
		{[]string{"--shutdown", "--delay", "5s", "--lease", "30s", "--prefetch-bytes", "1MiB"}, 30_000, 1 << 20,
			transport.SettleItem{Reason: transport.ReasonShutdown, DelayMs: 5000}},
	} {
		n := newFakeNode(t)
		n.deliver = []transport.Delivery{{
			Incarnation: 5, Place: 1, Index: 1, Token: 7, Attempt: 1, LeaseMs: 60_000, Record: recordOf(t, &record.Message{Body: []byte("x")}),
		}}
		require.Equal(t, "x\n", n.run(ExitOK, "", append([]string{"consume", "q", "--count", "1", "--nack", "no"}, c.args...)...).out)
		var k transport.Consume
		n.lastOp(transport.OpConsume, &k)
		require.Equal(t, c.lease, k.LeaseMs, c.args)
		require.Equal(t, c.bytes, k.CreditBytes, c.args)
		c.want.Action, c.want.Error, c.want.Incarnation, c.want.Place, c.want.Token = transport.ActionNack, "no", 5, 1, 7
		require.Equal(t, []transport.SettleItem{c.want}, settled(t, n), c.args)
	}

	n := newFakeNode(t)
	replying(t, n, []string{"x"}, "--echo", "--lease", "40s", "--prefetch-bytes", "2MiB")
	var k transport.Consume
	n.lastOp(transport.OpConsume, &k)
	require.EqualValues(t, 40_000, k.LeaseMs)
	require.EqualValues(t, 2<<20, k.CreditBytes)
}
