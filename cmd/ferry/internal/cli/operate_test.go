package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/transport"
)

func TestOperate(t *testing.T) {
	n := newFakeNode(t)
	n.replies["queue"] = transport.QueueInfo{Name: "orders", Breaker: transport.BreakerInfo{
		State: transport.BreakerIsOpen, UntilMs: 4_102_444_800_000, OpenMs: 20_000}}
	require.Equal(t, "breaker of orders is open until about 2100-01-01T00:00:00Z, for 20s\n", n.run(ExitOK, "", "breaker", "show", "orders").out)
	require.JSONEq(t, `{"queue":"orders","state":"open","until":"2100-01-01T00:00:00Z","open_for_ms":20000}`,
		n.run(ExitOK, "", "breaker", "show", "orders", "-o", "json").out)
	for state, text := range map[transport.BreakerInfo]string{
		{}: "off",
		{State: transport.BreakerClosed, Outcomes: 9, Failures: 2}:    "closed: 2 of the last 9 attempts failed, 0 in a row downstream",
		{State: transport.BreakerIsOpen, ByHand: true}:                "open, by hand: until it is closed",
		{State: transport.BreakerHalfOpen, Probes: 2, OpenMs: 40_000}: "half open: 2 on trial now",
		{State: transport.BreakerHalfOpen}:                            "half open: 0 on trial now",
	} {
		n.replies["queue"] = transport.QueueInfo{Name: "orders", Breaker: state}
		require.Equal(t, "breaker of orders is "+text+"\n", n.run(ExitOK, "", "breaker", "show", "orders").out)
	}
	var b transport.QueueBreaker
	require.Equal(t, "queue orders breaker opened\n", n.run(ExitOK, "", "breaker", "open", "orders").out)
	n.lastOp(transport.OpQueueBreaker, &b)
	require.Equal(t, transport.BreakerOpen, b.Action)
	n.run(ExitOK, "", "breaker", "close", "orders")
	n.lastOp(transport.OpQueueBreaker, &b)
	require.Equal(t, transport.BreakerClose, b.Action)

	require.Equal(t, "group customer-7 of queue orders resumed: 3 messages\n", n.run(ExitOK, "", "group", "resume", "orders", "customer-7").out)
	var g transport.GroupResume
	n.lastOp(transport.OpGroupResume, &g)
	require.Equal(t, "customer-7", g.GroupKey)

	require.Equal(t, "tenant acme of queue orders has weight 5\n", n.run(ExitOK, "", "tenant", "weight", "orders", "acme", "5").out)
	var w transport.TenantWeight
	n.lastOp(transport.OpTenantWeight, &w)
	require.EqualValues(t, 5, w.Weight)
}
