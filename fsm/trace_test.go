package fsm

import (
	"slices"
	"testing"
)

// TestTrace follows a message from its publish to its dead letter.
func TestTrace(t *testing.T) {
	s := New(3)
	var got []TraceEvent
	s.SetTrace(func(e TraceEvent) { got = append(got, e) })
	session := SessionID{7}
	index := uint64(0)
	apply := func(c Command) Applied {
		index++
		a, err := s.Apply(index, entryOf(Clock{WallMillis: int64(1000 + index)}, c))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	number := uint64(0)
	head := func() OpHeader {
		number++
		return OpHeader{Session: session, Epoch: 1, Number: number}
	}
	apply(&Leader{Node: "a"})
	apply(&Open{Session: session})
	apply(&Attach{Session: session, Epoch: 1, Node: "a"})
	apply(&QueueCreate{OpHeader: head(), Queue: "q", Settings: Settings{Retry: RetryImmediate}})
	apply(&Consume{OpHeader: head(), Consumer: 5, Queue: "q"})
	d := apply(&Publish{OpHeader: head(), Queue: "q", Count: 1, Records: newBench(t, 1, false).body}).Effects[0]
	settle := func(d Effect, action Action) Applied {
		return apply(&Settle{OpHeader: head(), Items: []SettleItem{{
			Incarnation: d.Incarnation, Place: d.Place, Token: d.Token, Action: action, Reason: ReasonMessage, Error: "why",
		}}})
	}
	published := index
	settle(settle(d, ActionNack).Effects[0], ActionReject)

	var kinds []string
	for _, e := range got {
		kinds = append(kinds, e.Kind)
		if e.ID != d.ID || e.Queue != "q" || e.WallMillis != int64(1000+e.Index) {
			t.Errorf("%+v", e)
		}
	}
	want := []string{TracePublished, TraceDelivered, TraceNacked, TraceDelivered, TraceRejected, TraceDead}
	if !slices.Equal(kinds, want) {
		t.Fatalf("%v, want %v", kinds, want)
	}
	if e := got[2]; e.Index != published+1 || e.Token != d.Token || e.Session != session || e.Consumer != 5 || e.Node != "a" || e.Detail != "message: why" {
		t.Errorf("%+v", e)
	}
}
