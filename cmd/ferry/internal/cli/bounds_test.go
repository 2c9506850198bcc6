package cli

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// TestBounds: what is within the bounds that a flag's mistake tells is taken,
// and what is one beyond them is not.
func TestBounds(t *testing.T) {
	n := newFakeNode(t)
	const day = 24 * time.Hour
	for _, c := range []struct {
		command     string
		flag        string
		least, most any
		zero        bool // has a meaning of its own
	}{
		{"queue create q", "lease", time.Second, day, false},
		{"queue create q", "ttl", time.Millisecond, 3660 * day, true},
		{"queue create q --retry-max 24h", "retry-base", time.Millisecond, day, false},
		{"queue create q --retry-base 1ms", "retry-max", time.Millisecond, day, false},
		{"queue create q", "retry-factor", 1, math.MaxUint32, false},
		{"queue create q", "group-batch", 1, 1000, false},
		{"queue create q", "dispatch-rate", 0, math.MaxUint32, false},
		{"queue create q --dispatch-rate 9", "dispatch-burst", 0, math.MaxUint32, false},
		{"queue create q --dedup-capacity 9", "dedup-window", time.Second, 7 * day, false},
		{"queue create q --dedup-window 9s", "dedup-capacity", 1, 4194304, false},
		{"topic create t --dedup-capacity 9", "dedup-window", time.Second, 7 * day, false},
		{"topic create t --dedup-window 9s", "dedup-capacity", 1, 4194304, false},
		{"publish q m", "ttl", time.Duration(0), 3660 * day, false},
		{"publish q m", "delay", time.Duration(0), 3660 * day, false},
		{"publish q m", "priority", 0, 31, false},
		{"message schedule q 0-1-2@3", "delay", time.Duration(0), 3660 * day, false},
		{"tenant weight q t", "", 1, 1000, false},
	} {
		try := func(v any, code int) {
			t.Helper()
			args := strings.Fields(c.command)
			if c.flag != "" {
				args = append(args, fmt.Sprintf("--%s=%v", c.flag, v))
			} else {
				args = append(args, "--", fmt.Sprint(v))
			}
			r := n.run(code, "", args...)
			if code != ExitOK {
				require.Contains(t, r.err, c.flag, args)
				require.Empty(t, r.out, args)
			}
		}
		try(c.least, ExitOK)
		try(c.most, ExitOK)
		try(beside(c.least, -1), ExitUsage)
		try(beside(c.most, 1), ExitUsage)
		if c.zero {
			try(0, ExitOK)
		}
	}
}

func beside(v any, by int) any {
	if d, ok := v.(time.Duration); ok {
		return d + time.Duration(by)
	}
	return v.(int) + by
}

// TestBoundsAreTheMachines: what the client refuses is what the machine would.
func TestBoundsAreTheMachines(t *testing.T) {
	ms := func(d time.Duration) uint64 { return uint64(d.Milliseconds()) }
	for name, pair := range map[string][2]uint64{
		"name":            {client.MaxNameBytes, fsm.MaxNameBytes},
		"text":            {client.MaxTextBytes, fsm.MaxKeyBytes},
		"filter":          {client.MaxTextBytes, fsm.MaxFilterBytes},
		"TTL":             {ms(client.MaxTTL), fsm.TenYearsMillis},
		"delay":           {ms(client.MaxDelay), fsm.TenYearsMillis},
		"least lease":     {ms(client.MinLease), fsm.MinLeaseMillis},
		"lease":           {ms(client.MaxLease), fsm.MaxLeaseMillis},
		"retry":           {ms(client.MaxRetryDelay), fsm.MaxRetryMillis},
		"group batch":     {client.MaxGroupBatch, fsm.MaxGroupBatch},
		"least window":    {ms(client.MinDedup), fsm.MinDedupMillis},
		"window":          {ms(client.MaxDedup), fsm.MaxDedupMillis},
		"capacity":        {client.MaxDedupCapacity, fsm.MaxDedupCapacity},
		"weight":          {client.MaxTenantWeight, fsm.MaxTenantWeight},
		"prefetch":        {client.MaxPrefetch, fsm.MaxCreditMessages},
		"prefetched":      {client.MaxPrefetchBytes, fsm.MaxCreditBytes},
		"concurrency":     {client.MaxConcurrency, fsm.MaxConcurrency},
		"deadline":        {ms(client.MaxRequestDeadline), fsm.MaxRequestMillis},
		"names in frames": {client.MaxNameBytes + uint64(len(fsm.DeadLetterSuffix)), transport.QueueNameMax},
	} {
		require.Equal(t, pair[1], pair[0], name)
	}
}
