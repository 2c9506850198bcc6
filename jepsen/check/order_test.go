package check

import (
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

// pipeline is a history in which two producers publish three messages at a
// time and one consumer takes them in order, with some of unknown outcome.
func pipeline() *history.Run {
	b := newBook()
	for i := range 60 {
		var keys []history.Key
		var ids []history.Witness
		for j := range 3 {
			outcome := history.OK
			if i%10 == 4 && j == 1 {
				outcome = history.Unknown
			}
			k, id := b.publish(uint32(j%2+1), outcome, true)
			keys, ids = append(keys, k), append(ids, id)
		}
		for j, k := range keys {
			d := b.deliver(3, k, ids[j], 1)
			if i%10 == 7 && j == 1 {
				b.settle(history.Nack, d, history.OK)
				d = b.deliver(3, k, ids[j], 2)
			}
			b.settle(history.Ack, d, history.OK)
		}
	}
	return b.close()
}

// swap exchanges what two operations tell of a message.
func swap(a, b *history.Op) {
	a.Key, b.Key = b.Key, a.Key
	a.ID, b.ID = b.ID, a.ID
}

// firstOf tells the first deliveries of a producer.
func firstOf(producer uint32) func(*history.Op) bool {
	return func(o *history.Op) bool { return attempts(1)(o) && o.Key.Producer == producer }
}

func TestFIFO(t *testing.T) {
	mustFind(t, FIFO{Workload: "w", Floor: 170}, pipeline, []planted{
		{"two change places", KindOrder, func(t *testing.T, run *history.Run) {
			swap(find(t, run, 10, attempts(1)), find(t, run, 11, attempts(1)))
		}},
		{"far apart", KindOrder, func(t *testing.T, run *history.Run) {
			swap(find(t, run, 10, attempts(1)), find(t, run, 150, attempts(1)))
		}},
		{"passed over", KindSkipped, func(t *testing.T, run *history.Run) {
			forget(run, find(t, run, 10, kind(history.Publish, history.OK)).Key)
		}},
		{"first twice", KindRepeated, func(t *testing.T, run *history.Run) { find(t, run, 0, attempts(2)).Attempt = 1 }},
		{"before its publish", KindEarly, func(t *testing.T, run *history.Run) {
			find(t, run, 10, attempts(1)).Call = 1
		}},
		{"of nobody", KindUnexpected, func(t *testing.T, run *history.Run) {
			find(t, run, 10, attempts(1)).Key.Producer = 9
		}},
	})
}

// TestFIFOExcuses holds what cannot be told from outside.
func TestFIFOExcuses(t *testing.T) {
	c := FIFO{Workload: "w", Floor: 100}
	overlapping := pipeline()
	a, b := find(t, overlapping, 10, attempts(1)), find(t, overlapping, 11, attempts(1))
	swap(a, b)
	publish := find(t, overlapping, 0, func(o *history.Op) bool { return o.Kind == history.Publish && o.Key == b.Key })
	publish.Return += int64(time.Second)
	require.Zero(t, c.Check(overlapping).Found[KindOrder], "the publishes overlap")

	unknown := pipeline()
	a, b = find(t, unknown, 10, attempts(1)), find(t, unknown, 11, attempts(1))
	swap(a, b)
	find(t, unknown, 0, func(o *history.Op) bool { return o.Kind == history.Publish && o.Key == b.Key }).Outcome = history.Unknown
	require.Zero(t, c.Check(unknown).Found[KindOrder], "it may have taken effect at any time")

	again := pipeline()
	a, b = find(t, again, 10, attempts(1)), find(t, again, 11, attempts(1))
	swap(a, b)
	b.Attempt, b.Redelivered = 2, true
	require.Zero(t, c.Check(again).Found[KindOrder], "it had its turn before, and no handler saw it")

	purged := pipeline()
	k := find(t, purged, 10, kind(history.Publish, history.OK)).Key
	forget(purged, k)
	purged.Ops = append(purged.Ops, history.Op{Workload: "w", Queue: testQueue, Kind: history.Purge, Outcome: history.OK, Call: 1, Return: 2})
	require.Zero(t, c.Check(purged).Found[KindSkipped])
}

func TestProducerOrder(t *testing.T) {
	floors := OrderFloors{Published: 150, Delivered: 150}
	errors := []planted{
		{"ids change places", KindIDs, func(t *testing.T, run *history.Run) {
			a, b := find(t, run, 10, kind(history.Publish, history.OK)), find(t, run, 100, kind(history.Publish, history.OK))
			b = find(t, run, 0, func(o *history.Op) bool {
				return kind(history.Publish, history.OK)(o) && o.Key.Producer == a.Key.Producer && o.Call > b.Call
			})
			a.At, b.At = b.At, a.At
		}},
		{"leases change places", KindOrder, func(t *testing.T, run *history.Run) {
			a, b := find(t, run, 10, firstOf(1)), find(t, run, 11, firstOf(1))
			a.Token, b.Token = b.Token, a.Token
		}},
	}
	mustFind(t, ProducerOrder{Workload: "w", Floors: floors}, pipeline, errors)
	mustFind(t, ProducerOrder{Workload: "w", Floors: floors, InOrder: true}, pipeline, errors)
}

// TestProducerOrderOfPublishesThatOverlap holds what InOrder adds.
func TestProducerOrderOfPublishesThatOverlap(t *testing.T) {
	run := pipeline()
	for i := range run.Ops {
		if o := &run.Ops[i]; o.Kind == history.Publish {
			o.Return += int64(time.Hour)
		}
	}
	a, b := find(t, run, 10, firstOf(1)), find(t, run, 11, firstOf(1))
	a.Token, b.Token = b.Token, a.Token
	require.Equal(t, Valid, ProducerOrder{Workload: "w"}.Check(run).Result)
	require.Equal(t, int64(1), ProducerOrder{Workload: "w", InOrder: true}.Check(run).Found[KindOrder])
}

// unacked is a history of a consumer without acks that ended once, and lost
// what was on its way.
func unacked() *history.Run {
	b := newBook()
	for i := range 100 {
		k, id := b.publish(uint32(i%2+1), history.OK, true)
		switch {
		case i == 50:
			b.event(history.Op{Client: 3, Kind: history.Gone})
			continue
		case i > 50 && i < 55:
			continue
		}
		b.deliver(3, k, id, 1)
		b.run.Ops[len(b.run.Ops)-1].Token = 0
	}
	return b.close()
}

func TestAtMostOnce(t *testing.T) {
	c := AtMostOnce{Workload: "w", LossMax: LossByCredit("w", 5), Floors: AtMostOnceFloors{Confirmed: 90, Delivered: 90}}
	mustFind(t, c, unacked, []planted{
		{"twice", KindDuplicated, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 10, attempts(1))
			d.Call, d.Return = d.Call+1, d.Return+1
			run.Ops = append(run.Ops, d)
		}},
		{"a second attempt", KindDuplicated, func(t *testing.T, run *history.Run) { find(t, run, 10, attempts(1)).Attempt = 2 }},
		{"flagged", KindDuplicated, func(t *testing.T, run *history.Run) { find(t, run, 10, attempts(1)).Redelivered = true }},
		{"one more is missing", KindLost, func(t *testing.T, run *history.Run) { forget(run, find(t, run, 10, attempts(1)).Key) }},
		{"of nobody", KindUnexpected, func(t *testing.T, run *history.Run) { find(t, run, 10, attempts(1)).Key.Seq = 777 }},
		{"a refused publish", KindGhost, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).Outcome = history.Fail
		}},
		{"before its publish", KindEarly, func(t *testing.T, run *history.Run) { find(t, run, 10, attempts(1)).Call = 1 }},
		{"a lease", KindToken, func(t *testing.T, run *history.Run) { find(t, run, 10, attempts(1)).Token = 4 }},
		{"no answer", KindUnanswered, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).Outcome = history.Pending
		}},
		{"not drained", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
	})
	none := c
	none.LossMax = nil
	require.Equal(t, int64(5), none.Check(unacked()).Found[KindLost])
	faulty := unacked()
	forget(faulty, find(t, faulty, 10, attempts(1)).Key)
	faulty.Faults = []history.Fault{{From: 1, To: 2}}
	require.Equal(t, Valid, c.Check(faulty).Result, "a fault costs another credit")
}

func TestAll(t *testing.T) {
	run := orderly120()
	forget(run, find(t, run, 20, kind(history.Publish, history.OK)).Key)
	verdicts := All(run, []Checker{accounting(), conservation(), Digests{}, accounting()})
	require.Len(t, verdicts, 4)
	require.Equal(t, "conservation", verdicts[1].Checker)
	require.Equal(t, Invalid, verdicts[3].Result)
	sum := Sum(append(verdicts, Verdict{Workload: "x", Checked: []Count{{Name: "confirmed", Seen: 5}}, Found: map[string]int64{KindGhost: 2}}))
	require.Equal(t, Totals{Confirmed: verdicts[0].Checked[0].Seen + 5, Lost: 1, Ghost: 2}, sum)
	require.Empty(t, All(run, nil))
}
