package witness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// TestOrderlyHistory: what an orderly cluster leaves is valid, and all of it
// was looked at.
func TestOrderlyHistory(t *testing.T) {
	for seed := range uint64(3) {
		run := orderly(seed, 8_000)
		v := Checker{Operations: 5_000, Deliveries: 1_000, Indexes: 1_000}.Check(run)
		require.Equal(t, check.Valid, v.Result, "seed %d: %s", seed, v)
		for _, note := range []string{"reads", "replica counts", "unknown publishes applied",
			"unknown publishes without effect", "unknown settles applied"} {
			require.Positive(t, v.Notes[note], "%s: %v", note, v.Notes)
		}
	}
}

// TestHundredThousandOperations also holds how long it takes.
func TestHundredThousandOperations(t *testing.T) {
	run := orderly(1, 100_000)
	began := time.Now()
	v := Checker{Operations: 60_000, Deliveries: 20_000, Indexes: 5_000}.Check(run)
	t.Log(v, time.Since(began))
	require.Equal(t, check.Valid, v.Result, v)
	require.Less(t, time.Since(began), 3*time.Minute)
}

// TestNothingIsNotEnough: a run without anything is not valid.
func TestNothingIsNotEnough(t *testing.T) {
	v := Checker{Operations: 1, Deliveries: 1, Indexes: 1}.Check(&history.Run{})
	require.Equal(t, check.Invalid, v.Result)
	require.Equal(t, map[string]int64{"vacuous": 3}, v.Found)
	v = Lock{Operations: 1, Windows: 1}.Check(&history.Run{})
	require.Equal(t, map[string]int64{"vacuous": 2}, v.Found)
	v = Agreement(nil, 0, 1)
	require.Equal(t, map[string]int64{"vacuous": 2}, v.Found)
}

// find is an operation of a kind and outcome, the first from the middle of the
// run on, if there is one.
func find(t *testing.T, r *history.Run, kind history.Kind, outcome history.Outcome, also func(*history.Op) bool) *history.Op {
	t.Helper()
	for i := range r.Ops {
		o := &r.Ops[(i+len(r.Ops)/2)%len(r.Ops)]
		if o.Kind == kind && o.Outcome == outcome && (also == nil || also(o)) {
			return o
		}
	}
	require.Fail(t, "no such operation", "%s %s", kind, outcome)
	return nil
}

// entryOf is the command of an operation that has a place, by key or token.
func entryOf(t *testing.T, r *history.Run, o *history.Op) *history.Command {
	t.Helper()
	e := &r.Log[o.At.Index-1]
	for i := range e.Commands {
		c := &e.Commands[i]
		for k := range c.Bodies {
			if key, err := history.ParseKey([]byte(c.Bodies[k])); err == nil && key == o.Key && o.Kind == history.Publish {
				return c
			}
		}
		for _, it := range c.Items {
			if it.Token == o.Token && o.Token != 0 {
				return c
			}
		}
	}
	require.Fail(t, "not in the log", o)
	return nil
}

// TestPlantedErrors: each kind of problem is found when it is there.
func TestPlantedErrors(t *testing.T) {
	delivered := func(o *history.Op) bool { return o.Attempt == 1 && o.Dead == "" }
	for name, c := range map[string]struct {
		kind  string
		plant func(t *testing.T, r *history.Run)
	}{
		"confirmed, and its entry is void": {KindAbsent, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.OK, nil)
			r.Log[o.At.Index-1].Void = true
		}},
		"confirmed beyond the end of the log": {KindAbsent, func(t *testing.T, r *history.Run) {
			find(t, r, history.Publish, history.OK, nil).At.Index = 1 << 40
		}},
		"confirmed at a place that decides nothing": {KindAbsent, func(t *testing.T, r *history.Run) {
			find(t, r, history.Publish, history.OK, nil).At.Position = 1 << 20
		}},
		"another message stands there": {KindContent, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.OK, nil)
			c := entryOf(t, r, o)
			for i := range c.Bodies {
				c.Bodies[i] = "p77-77 "
			}
		}},
		"another queue stands there": {KindContent, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.OK, nil)
			o.Queue = "elsewhere"
		}},
		"another token stands there": {KindContent, func(t *testing.T, r *history.Run) {
			find(t, r, history.Ack, history.OK, nil).Token++
		}},
		"an ack that was a nack": {KindContent, func(t *testing.T, r *history.Run) {
			find(t, r, history.Nack, history.OK, nil).Kind = history.Ack
		}},
		"a purge of another queue": {KindContent, func(t *testing.T, r *history.Run) {
			find(t, r, history.Purge, history.OK, nil).Queue = "elsewhere"
		}},
		"confirmed although refused": {KindOutput, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.Fail, nil)
			o.Outcome, o.Code, o.Cause = history.OK, "", ""
		}},
		"an ack refused that was accepted": {KindOutput, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Ack, history.OK, nil)
			o.Outcome, o.Code = history.Fail, codeLeaseLost
		}},
		"refused for another reason": {KindOutput, func(t *testing.T, r *history.Run) {
			find(t, r, history.Publish, history.Fail, nil).Cause = causeBytes
		}},
		"a purge that counts wrongly": {KindOutput, func(t *testing.T, r *history.Run) {
			find(t, r, history.Purge, history.OK, nil).Value++
		}},
		"called after what stands behind it had returned": {KindRealTime, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.OK, nil)
			o.Call += 50 * synthStep
			o.Return += 50 * synthStep
		}},
		"seen before it was granted": {KindRealTime, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Deliver, history.OK, nil)
			o.Call -= 50 * synthStep
			o.Return = o.Call
		}},
		"two at one place": {KindReused, func(t *testing.T, r *history.Run) {
			o := *find(t, r, history.Publish, history.OK, nil)
			o.Key.Seq = 1 << 50
			r.Ops = append(r.Ops, o)
		}},
		"applied twice": {KindTwice, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.OK, nil)
			again := *entryOf(t, r, o)
			again.Number = 1<<20 + 1
			purge := history.Command{Kind: "queuepurge", Session: again.Session, Epoch: 1, Queue: again.Queue,
				Number: 1 << 20, AnsweredThrough: 1<<20 - 1} // so that there is room
			last := &r.Log[len(r.Log)-1]
			last.Commands = append(last.Commands, purge, again)
		}},
		"certainly failed, and in the log": {KindGhost, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.Unknown, func(o *history.Op) bool { return inLog(r, o.Key) })
			o.Outcome = history.Fail
		}},
		"an ack that certainly failed, and in the log": {KindGhost, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Ack, history.OK, nil)
			o.Outcome, o.Code, o.At = history.Fail, "closed", history.Witness{}
		}},
		"in the log, and published by nobody": {KindUnexpected, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.Unknown, func(o *history.Op) bool { return inLog(r, o.Key) })
			o.Key = history.Key{Producer: 99, Seq: 99}
		}},
		"delivered, and published by nobody": {KindUnexpected, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).Key = history.Key{Producer: 99, Seq: 99}
		}},
		"unknown, not in the log, and delivered": {KindPhantom, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.Unknown, func(o *history.Op) bool { return !inLog(r, o.Key) })
			d := *find(t, r, history.Deliver, history.OK, nil)
			d.Key = o.Key
			r.Ops = append(r.Ops, d)
		}},
		"delivered under a token of the future": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).Token = 1 << 40
		}},
		"delivered under the token of another": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).Token++
		}},
		"delivered under another id": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).ID.Position++
		}},
		"a first attempt that says it is the second": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, delivered).Attempt = 2
		}},
		"a second attempt without the flag": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, func(o *history.Op) bool { return o.Attempt > 1 }).Redelivered = false
		}},
		"dead for another reason": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, delivered).Dead = reasonRejected
		}},
		"given out without acks, and never taken": {KindDelivery, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).Token = 0
		}},
		"confirmed, not in the log, and delivered": {KindDelivery, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Publish, history.Unknown, func(o *history.Op) bool { return !inLog(r, o.Key) })
			o.Outcome = history.OK
			d := *find(t, r, history.Deliver, history.OK, nil)
			d.Key = o.Key
			r.Ops = append(r.Ops, d)
		}},
		"delivered to another consumer": {KindConsumer, func(t *testing.T, r *history.Run) {
			find(t, r, history.Deliver, history.OK, nil).Consumer = 99
		}},
		"counts that never were": {KindRead, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Read, history.OK, nil)
			counts := *o.Counts
			counts.Acked++
			o.Counts = &counts
		}},
		"counts of long ago": {KindRead, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Read, history.OK, nil)
			o.Call, o.Return = o.Call+500*synthStep, o.Return+500*synthStep
		}},
		"a queue that was there, and not found": {KindRead, func(t *testing.T, r *history.Run) {
			o := find(t, r, history.Read, history.OK, nil)
			o.Outcome, o.Code, o.Counts = history.Fail, codeNotFound, nil
		}},
		"a replica that counts otherwise": {KindState, func(_ *testing.T, r *history.Run) { r.Replicas[1].Queues[0].Published++ }},
		"a replica that lacks a queue":    {KindState, func(_ *testing.T, r *history.Run) { r.Replicas[1].Queues = r.Replicas[1].Queues[1:] }},
		"a lease that ends too early by another clock": {KindDelivery, func(_ *testing.T, r *history.Run) {
			for i := len(r.Log) / 2; i < len(r.Log); i++ {
				r.Log[i].LeaseMillis += 1 << 20
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			run := orderly(3, 3_000)
			c.plant(t, run)
			v := Checker{}.Check(run)
			require.Equal(t, check.Invalid, v.Result)
			require.Positive(t, v.Found[c.kind], v.String())
		})
	}
}

func inLog(r *history.Run, key history.Key) bool {
	for _, e := range r.Log {
		for _, c := range e.Commands {
			for _, b := range c.Bodies {
				if k, err := history.ParseKey([]byte(b)); err == nil && k == key {
					return true
				}
			}
		}
	}
	return false
}

// TestHoleIsUndecided: what nobody has cannot be judged, and is no pass.
func TestHoleIsUndecided(t *testing.T) {
	run := orderly(3, 3_000)
	at := len(run.Log) / 2
	run.Log = append(run.Log[:at:at], run.Log[at+3:]...)
	v := Checker{}.Check(run)
	require.Equal(t, check.Undecided, v.Result, v)
	require.Equal(t, int64(3), v.Notes["holes"])
	require.Positive(t, v.Notes["beyond a hole"])

	run = orderly(3, 3_000)
	run.Log = run.Log[:at]
	require.Equal(t, check.Undecided, Checker{}.Check(run).Result)
}

func BenchmarkMillionOperations(b *testing.B) {
	run := orderly(1, 1_000_000)
	b.ResetTimer()
	for b.Loop() {
		if v := (Checker{Operations: 600_000, Deliveries: 200_000, Indexes: 50_000}).Check(run); v.Result != check.Valid {
			b.Fatal(v)
		}
	}
}
