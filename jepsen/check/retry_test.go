package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const testLimit = 3

func testDelay(failures int) time.Duration { return time.Duration(failures) * 200 * time.Millisecond }

// retried is a history of n messages that are nacked some times: each third
// one until it is dead, and each fourth one with a delay of the nack's own.
func retried(n int) *history.Run {
	b := newBook()
	for i := range n {
		k, id := b.publish(1, history.OK, true)
		nacks := i % 2
		if i%3 == 0 {
			nacks = testLimit
		}
		var tokens []uint64
		d := b.deliver(3, k, id, 1)
		for f := range nacks {
			o := b.settle(history.Nack, d, history.OK)
			o.Failures = f
			wait := testDelay(f + 1)
			if i%4 == 1 {
				o.Value, wait = 700, 700*time.Millisecond
			}
			tokens = append(tokens, d.Token)
			if f+1 == testLimit {
				break
			}
			b.tick(wait)
			d = b.deliver(3, k, id, f+2)
			d.Failures = f + 1
			b.run.Ops[len(b.run.Ops)-1].Failures = f + 1
		}
		if nacks < testLimit {
			b.settle(history.Ack, d, history.OK)
			continue
		}
		b.count(testQueue).Dead++
		b.event(history.Op{Kind: Died, Queue: testQueue + deadLetterSuffix, Key: k, Attempt: testLimit, Failures: testLimit, Dead: "failures"})
		for _, token := range tokens {
			b.event(history.Op{Kind: Attempted, Queue: testQueue + deadLetterSuffix, Key: k, Token: token})
		}
		b.die(d, "failures")
	}
	return b.close()
}

func retried60() *history.Run { return retried(60) }

func nackWith(value bool) func(*history.Op) bool {
	return func(o *history.Op) bool { return o.Kind == history.Nack && (o.Value != 0) == value }
}

func TestBackoff(t *testing.T) {
	c := Backoff{Workload: "w", Least: testDelay, Floors: BackoffFloors{ByPolicy: 10, ByNack: 5}}
	sooner := func(t *testing.T, run *history.Run, n *history.Op) {
		d := find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Deliver && o.Key == n.Key && o.Token > n.Token })
		d.Call = n.Return + int64(50*time.Millisecond)
	}
	mustFind(t, c, retried60, []planted{
		{"by the policy", KindTooSoon, func(t *testing.T, run *history.Run) { sooner(t, run, find(t, run, 0, nackWith(false))) }},
		{"by the nack", KindTooSoon, func(t *testing.T, run *history.Run) { sooner(t, run, find(t, run, 0, nackWith(true))) }},
		{"the first delay again", KindTooSoon, func(t *testing.T, run *history.Run) {
			n := find(t, run, 0, func(o *history.Op) bool { return nackWith(false)(o) && o.Failures == 1 })
			find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Deliver && o.Key == n.Key && o.Attempt == 3 }).Call = n.Call + int64(testDelay(1))
		}},
	})
}

func TestObituaries(t *testing.T) {
	died, attempted := kind(Died, history.OK), kind(Attempted, history.OK)
	mustFind(t, Obituaries{Workload: "w", Limit: testLimit, Floor: 15}, retried60, []planted{
		{"too few failures", KindHistory, func(t *testing.T, run *history.Run) { find(t, run, 2, died).Failures-- }},
		{"fewer attempts than it tells", KindHistory, func(t *testing.T, run *history.Run) { find(t, run, 2, died).Attempt-- }},
		{"an attempt is missing", KindHistory, func(t *testing.T, run *history.Run) {
			a := *find(t, run, 2, attempted)
			drop(run, func(o *history.Op) bool { return o.Kind == Attempted && o.Token == a.Token })
		}},
		{"an attempt is told twice", KindHistory, func(t *testing.T, run *history.Run) {
			a := find(t, run, 1, attempted)
			a.Token = find(t, run, 0, attempted).Token
		}},
		{"another message's attempt", KindHistory, func(t *testing.T, run *history.Run) {
			find(t, run, 1, attempted).Token = find(t, run, 4, attempts(1)).Token
		}},
	})
}

func TestPoison(t *testing.T) {
	poison := func(k history.Key) bool { return k.Seq%3 == 1 }
	c := Poison{Workload: "w", Queue: testQueue, Poison: poison, Floors: PoisonFloors{Poison: 15, Bystanders: 30}}
	kill := func(t *testing.T, run *history.Run) *history.Op {
		d := *find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && !poison(o.Key) })
		d.Queue, d.Dead, d.Call = testQueue+deadLetterSuffix, "failures", run.Ended
		run.Ops = append(run.Ops, d)
		return &run.Ops[len(run.Ops)-1]
	}
	mustFind(t, c, retried60, []planted{
		{"a bystander is dead", KindBystander, func(t *testing.T, run *history.Run) { kill(t, run) }},
		{"poison is not", KindLost, func(t *testing.T, run *history.Run) {
			k := find(t, run, 2, deadLetter).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && isDead(o) })
		}},
	})
	run := retried60()
	d := kill(t, run)
	run.Faults = []history.Fault{{From: d.Call - int64(6*time.Second), To: d.Call}}
	require.Equal(t, Valid, c.Check(run).Result, "a fault kept its holder away")
	again := *find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == d.Key })
	again.Token, again.Attempt, again.Client = again.Token+1000, 2, 7
	run.Ops = append(run.Ops, again)
	for _, client := range []uint32{3, 7} {
		run.Ops = append(run.Ops, history.Op{Workload: "w", Kind: history.Gone, Client: client, Error: Crashed, Call: run.Ended, Return: run.Ended})
	}
	require.NotZero(t, c.Check(run).Found[KindBystander], "it was there at two crashes")
}
