package history

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// More operations than a piece has room for, of many clients at once, each keep
// their place.
func TestRecorderKeepsEveryOperation(t *testing.T) {
	const clients, each = 4, pieceOps
	r := NewRecorder()
	places := make([][]int, clients)
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for seq := range each {
				key := Key{Producer: uint32(c) + 1, Seq: uint64(seq) + 1}
				place := r.Invoke(Op{Kind: Publish, Key: key})
				places[c] = append(places[c], place)
				r.Amend(place, func(o *Op) { o.Number = key.Seq })
				r.Complete(place, OK, func(o *Op) { o.At.Index = key.Seq })
				r.Complete(place, Fail, nil) // the second time
			}
		})
	}
	all.Wait()
	ops := r.Ops()
	require.Len(t, ops, clients*each)
	for c := range clients {
		for seq, place := range places[c] {
			o := ops[place]
			require.Equal(t, Key{Producer: uint32(c) + 1, Seq: uint64(seq) + 1}, o.Key)
			require.Equal(t, OK, o.Outcome)
			require.Equal(t, o.Key.Seq, o.At.Index)
			require.Equal(t, o.Key.Seq, o.Number)
		}
	}
	require.Equal(t, Counts{Attempted: clients * each, Confirmed: clients * each}, r.Counts())
}

func TestRecorderCounts(t *testing.T) {
	r := NewRecorder()
	require.Empty(t, r.Ops())
	publish := r.Invoke(Op{Kind: Publish})
	unknown := r.Invoke(Op{Kind: Publish})
	r.Event(Op{Kind: Deliver})
	ack := r.Invoke(Op{Kind: Ack})
	require.Equal(t, Counts{Attempted: 2, Delivered: 1, Open: 3}, r.Counts())
	r.Complete(publish, OK, nil)
	r.Complete(unknown, Unknown, nil)
	r.Complete(ack, OK, nil)
	require.Equal(t, Counts{Attempted: 2, Confirmed: 1, Delivered: 1, Settled: 1}, r.Counts())
}

// The gap is between confirms, and begins anew with each question, but for the
// confirm before it.
func TestRecorderGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder()
		after := func(d time.Duration, kind Kind, outcome Outcome) {
			place := r.Invoke(Op{Kind: kind})
			time.Sleep(d)
			r.Complete(place, outcome, nil)
		}
		after(time.Hour, Publish, OK) // the first one ends no gap
		require.Zero(t, r.Gap())
		after(2*time.Second, Publish, OK)
		after(time.Second, Publish, OK)
		require.Equal(t, 2*time.Second, r.Gap())
		require.Zero(t, r.Gap())
		after(time.Second, Publish, Unknown)
		after(time.Second, Ack, OK)
		after(time.Second, Publish, OK)
		require.Equal(t, 3*time.Second, r.Gap())
	})
}
