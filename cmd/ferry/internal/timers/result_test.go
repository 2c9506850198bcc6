package timers

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// TestVerdict: whatever is not as it must be is said.
func TestVerdict(t *testing.T) {
	o := Options{N: 100, Window: 10 * time.Second, Rate: 5, Limit: 100 * time.Millisecond}
	good := func() Result {
		r := Result{N: 100, Due: 100, Sent: 50, Acked: 50, Behind: 250 * time.Millisecond, Lateness: latency.New(), window: o.Window}
		for range 99 {
			r.Lateness.Add(99 * time.Millisecond)
		}
		r.Lateness.Add(time.Second) // one in a hundred may be
		return r
	}
	r := good()
	require.NoError(t, r.Verdict(o))
	require.Equal(t, "timers: due=100 lost=0 early=0 repeated=0 p50=99.0ms p90=99.0ms p99=99.0ms p99.9=1000.4ms max=1000.4ms background=5/s", r.Line())
	for want, spoil := range map[string]func(*Result){
		"1 of 100 timers did not arrive":                      func(r *Result) { r.Due-- },
		"1 timers were early":                                 func(r *Result) { r.Early++ },
		"1 messages arrived once more":                        func(r *Result) { r.Repeated++ },
		"1 messages arrived that nobody published":            func(r *Result) { r.Unknown++ },
		"1 messages are left":                                 func(r *Result) { r.Left++ },
		"1 of 50 messages beside them were not acked":         func(r *Result) { r.Acked-- },
		"through 301ms after the window":                      func(r *Result) { r.Behind = 301 * time.Millisecond },
		"p99 of lateness is 120.063ms, more than 100ms":       func(r *Result) { r.Lateness.Add(120 * time.Millisecond) },
		"a publish or an ack failed: the lease was too short": func(r *Result) { r.Failed = errors.New("the lease was too short") },
	} {
		r := good()
		spoil(&r)
		require.ErrorContains(t, r.Verdict(o), want)
	}
}

// TestTally: a message counts once.
func TestTally(t *testing.T) {
	tally := newTally(2)
	require.True(t, tally.arrive(1))
	require.False(t, tally.arrive(1))
	require.False(t, tally.arrive(2))
	tally.settled()
	require.Equal(t, 1, tally.count().arrived)
	select {
	case <-tally.all:
		t.Fatal("one is missing")
	default:
	}
	require.True(t, tally.arrive(0))
	tally.settled()
	<-tally.all
	require.Equal(t, counts{arrived: 2, acked: 2, repeated: 1, unknown: 1}, tally.count())
	<-newTally(0).all
}
