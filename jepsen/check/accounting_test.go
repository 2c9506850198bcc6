package check

import (
	"slices"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

func accounting() Accounting {
	return Accounting{
		Workload: "w", Lease: testLease, DeadLetters: true,
		Floors: AccountingFloors{Confirmed: 80, Delivered: 80, Settled: 80, Redelivered: 10, Dead: 5},
	}
}

func orderly120() *history.Run { return orderly(120) }

// keyOf drops everything that happened to a message after its publish.
func forget(run *history.Run, k history.Key) {
	drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind != history.Publish })
}

func TestAccounting(t *testing.T) {
	mustFind(t, accounting(), orderly120, []planted{
		{"a confirmed message is gone", KindLost, func(t *testing.T, run *history.Run) {
			forget(run, find(t, run, 20, kind(history.Publish, history.OK)).Key)
		}},
		{"a rejected one never dies", KindLost, func(t *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Dead != "" })
		}},
		{"nobody published it", KindUnexpected, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, kind(history.Publish, history.OK)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind == history.Publish })
		}},
		{"from another queue", KindUnexpected, func(t *testing.T, run *history.Run) {
			find(t, run, 5, attempts(1)).Queue = "other"
		}},
		{"a refused publish", KindGhost, func(t *testing.T, run *history.Run) {
			k := find(t, run, 5, attempts(1)).Key
			find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Publish && o.Key == k }).Outcome = history.Fail
		}},
		{"before its publish", KindEarly, func(t *testing.T, run *history.Run) {
			d := find(t, run, 5, attempts(1))
			p := find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Publish && o.Key == d.Key })
			d.Call, d.Return = p.Call-1, p.Call-1
		}},
		{"no ack", KindUnsettled, func(t *testing.T, run *history.Run) {
			k := find(t, run, 20, kind(history.Ack, history.OK)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && ends(o) })
		}},
		{"a dead letter without ack", KindUnsettled, func(t *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Dead != "" && o.Kind == history.Ack })
		}},
		{"an ack without answer", KindUnanswered, func(t *testing.T, run *history.Run) {
			a := find(t, run, 20, kind(history.Ack, history.OK))
			a.Outcome, a.Return = history.Pending, 0
		}},
		{"the drain failed", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
		{"one key twice", KindReusedKey, func(t *testing.T, run *history.Run) {
			run.Ops = append(run.Ops, *find(t, run, 1, kind(history.Publish, history.OK)))
		}},
		{"no nack before", KindDuplicated, func(t *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Kind == history.Nack })
		}},
		{"the nack was refused", KindDuplicated, func(t *testing.T, run *history.Run) {
			find(t, run, 0, kind(history.Nack, history.OK)).Outcome = history.Fail
		}},
		{"the nack came later", KindDuplicated, func(t *testing.T, run *history.Run) {
			n := find(t, run, 0, kind(history.Nack, history.OK))
			n.Call, n.Return = run.Ended, run.Ended
		}},
		{"the lease was longer", KindDuplicated, func(_ *testing.T, run *history.Run) {
			for i := range run.Ops {
				if run.Ops[i].Kind == history.Deliver {
					run.Ops[i].Value = 5000
				}
			}
		}},
		{"the lease was extended", KindDuplicated, func(t *testing.T, run *history.Run) {
			d := find(t, run, 0, expired(run))
			x := *d
			x.Kind, x.Call, x.Return = history.Extend, d.Call+int64(testLease/2), d.Call+int64(testLease/2)+1
			run.Ops = append(run.Ops, x)
		}},
		{"the fault was too short for a session", KindDuplicated, func(t *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Kind == history.Nack })
			d := find(t, run, 0, attempts(2))
			run.Faults = []history.Fault{{Name: "kill", From: d.Call - int64(time.Second), To: d.Call}}
		}},
		{"an attempt that nobody saw", KindDuplicated, func(t *testing.T, run *history.Run) {
			find(t, run, 20, attempts(1)).Attempt = 2
		}},
		{"the same attempt under another token", KindDuplicated, func(t *testing.T, run *history.Run) {
			find(t, run, 0, attempts(2)).Attempt = 1
		}},
		{"a lease twice at one handler", KindRepeated, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 20, attempts(1))
			d.Call, d.Return = d.Call+1, d.Return+1
			run.Ops = append(run.Ops, d)
		}},
		{"a lease at two consumers", KindShared, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 20, attempts(1))
			d.Consumer++
			run.Ops = append(run.Ops, d)
		}},
		{"not flagged", KindFlag, func(t *testing.T, run *history.Run) { find(t, run, 1, attempts(2)).Redelivered = false }},
		{"flagged", KindFlag, func(t *testing.T, run *history.Run) { find(t, run, 9, attempts(1)).Redelivered = true }},
		{"older after newer", KindBackwards, func(t *testing.T, run *history.Run) {
			d := find(t, run, 0, attempts(2))
			find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == d.Key }).Call = d.Call + 1
		}},
		{"acked, and leased again", KindAfterAck, func(t *testing.T, run *history.Run) {
			n := find(t, run, 0, kind(history.Nack, history.OK))
			n.Kind = history.Ack
		}},
		{"acked twice", KindTwice, func(t *testing.T, run *history.Run) {
			a := *find(t, run, 20, kind(history.Ack, history.OK))
			a.Call, a.Return = a.Return+1, a.Return+2
			run.Ops = append(run.Ops, a)
		}},
		{"acked and rejected", KindTwice, func(t *testing.T, run *history.Run) {
			find(t, run, 0, kind(history.Nack, history.OK)).Kind = history.Reject
		}},
		{"dead without a reject", KindDeadCause, func(t *testing.T, run *history.Run) {
			find(t, run, 0, kind(history.Reject, history.OK)).Outcome = history.Fail
		}},
		{"dead without a limit", KindDeadCause, func(t *testing.T, run *history.Run) {
			find(t, run, 0, func(o *history.Op) bool { return o.Dead != "" && o.Kind == history.Deliver }).Dead = "failures"
		}},
		{"alive after death", KindAfterDead, func(t *testing.T, run *history.Run) {
			dead := find(t, run, 0, func(o *history.Op) bool { return o.Dead != "" && o.Kind == history.Deliver })
			d := *find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == dead.Key })
			d.Token = dead.Token + 1
			run.Ops = append(run.Ops, d)
		}},
	})
}

// expired tells the first deliveries of messages whose lease ran out.
func expired(run *history.Run) func(*history.Op) bool {
	refused := map[history.Key]bool{}
	for i := range run.Ops {
		if run.Ops[i].Code == "lease_lost" {
			refused[run.Ops[i].Key] = true
		}
	}
	return func(o *history.Op) bool { return attempts(1)(o) && refused[o.Key] }
}

func TestAccountingTellsWhereMessagesWereLost(t *testing.T) {
	for _, c := range []struct {
		where string
		lost  func(i, n int) bool
	}{
		{"prefix", func(i, n int) bool { return i < n/3 }},
		{"middle", func(i, n int) bool { return i > n/3 && i < n/2 }},
		{"postfix", func(i, n int) bool { return i > n/2 }},
	} {
		run := orderly120()
		var keys []history.Key
		for i := range run.Ops {
			if o := &run.Ops[i]; kind(history.Publish, history.OK)(o) && o.Key.Producer == 1 {
				keys = append(keys, o.Key)
			}
		}
		lost := int64(0)
		for i, k := range keys {
			if c.lost(i, len(keys)) {
				forget(run, k)
				lost++
			}
		}
		v := accounting().Check(run)
		require.Equal(t, lost, v.Found[KindLost])
		require.Equal(t, lost, v.Notes["lost "+c.where], "%s", v)
		require.Contains(t, v.Problems[0].Text, c.where)
	}
}

// TestAccountingExcuses holds what is no error: a checker that cries wolf is
// switched off.
func TestAccountingExcuses(t *testing.T) {
	var handed []history.Key
	for _, o := range orderly(120).Ops {
		if o.Kind == history.Nack {
			handed = append(handed, o.Key)
		}
	}
	withoutNack := func(run *history.Run) {
		drop(run, func(o *history.Op) bool { return o.Kind == history.Nack })
	}
	for _, c := range []struct {
		name string
		do   func(run *history.Run)
	}{
		{"a nack of unknown outcome", func(run *history.Run) {
			for i := range run.Ops {
				if run.Ops[i].Kind == history.Nack {
					run.Ops[i].Outcome = history.Unknown
				}
			}
		}},
		{"the client ended", func(run *history.Run) {
			for i := range run.Ops {
				if o := &run.Ops[i]; o.Kind == history.Nack {
					*o = history.Op{Client: o.Client, Workload: "w", Kind: history.Gone, Outcome: history.OK, Call: o.Call, Return: o.Return}
				}
			}
		}},
		{"a consumer stopped, and handed back what no handler had seen", func(run *history.Run) {
			for i := range run.Ops {
				o := &run.Ops[i]
				if o.Kind == history.Nack {
					end := o.Return + int64(closing)
					*o = history.Op{Client: o.Client, Workload: "w", Kind: history.Gone, Outcome: history.OK, Call: end, Return: end}
				}
			}
			drop(run, func(o *history.Op) bool { return attempts(1)(o) && slices.Contains(handed, o.Key) })
		}},
		{"a long fault", func(run *history.Run) {
			withoutNack(run)
			run.Faults = []history.Fault{{Name: "cut", From: 1, To: run.Ended}}
			shift(run, 6*time.Second)
		}},
		{"the broker said why", func(run *history.Run) {
			for i := range run.Ops {
				if run.Ops[i].Kind == history.Nack {
					run.Ops[i].Kind, run.Ops[i].Cause = history.Lost, "session_ended"
				}
			}
		}},
		{"a refused ack comes late", func(run *history.Run) {
			for i := range run.Ops {
				if run.Ops[i].Code == "lease_lost" {
					run.Ops[i].Return = run.Ended
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := orderly120()
			c.do(run)
			require.Equal(t, Valid, accounting().Check(run).Result, "%s", accounting().Check(run))
		})
	}
}

// shift delays everything that belongs to second attempts.
func shift(run *history.Run, by time.Duration) {
	late := int64(0)
	for i := range run.Ops {
		o := &run.Ops[i]
		if o.Kind == history.Deliver && o.Attempt == 2 {
			late += int64(by)
		}
		o.Call, o.Return = o.Call+late, o.Return+late
	}
	run.Ended += late
	run.Faults[0].To = run.Ended
}

// TestLeasesOfTheirOwn: a delivery that tells its lease needs no other, and a
// queue with short leases excuses nothing in another one.
func TestLeasesOfTheirOwn(t *testing.T) {
	c := accounting()
	c.Lease = 0
	require.Equal(t, Valid, c.Check(orderly120()).Result)
	unseen := orderly120()
	drop(unseen, expired(unseen))
	require.Zero(t, c.Check(unseen).Found[KindDuplicated], "%s", c.Check(unseen))
	for i := range unseen.Ops {
		unseen.Ops[i].Value = 0
	}
	require.NotZero(t, c.Check(unseen).Found[KindDuplicated])
}

func TestAccountingOfAnUndrainedRun(t *testing.T) {
	run := orderly120()
	forget(run, find(t, run, 20, kind(history.Publish, history.OK)).Key)
	forget(run, find(t, run, 30, kind(history.Publish, history.OK)).Key)
	run.Drained = 0
	run.Replicas[1].Queues[0].Ready = 1
	v := accounting().Check(run)
	require.Equal(t, int64(1), v.Found[KindLost], "one is still there, one is lost: %s", v)
	require.Equal(t, int64(2), v.Notes["undelivered"])
}

func TestAccountingUnderChurn(t *testing.T) {
	c := accounting()
	c.Churn = true
	swept := func(outcome history.Outcome) func(t *testing.T) *history.Run {
		return func(t *testing.T) *history.Run {
			run := orderly120()
			p := find(t, run, 20, kind(history.Publish, history.OK))
			run.Ops = append(run.Ops, history.Op{
				Workload: "w", Queue: testQueue, Kind: history.Purge, Outcome: outcome, Call: p.Return - 1, Return: p.Return + 1, Value: 1,
			})
			forget(run, p.Key)
			return run
		}
	}
	require.Equal(t, Valid, c.Check(swept(history.OK)(t)).Result)
	require.Equal(t, Valid, c.Check(swept(history.Unknown)(t)).Result)
	require.Equal(t, int64(1), c.Check(swept(history.Fail)(t)).Found[KindLost])
	require.Equal(t, int64(1), accounting().Check(swept(history.OK)(t)).Found[KindLost], "nobody said that it may be purged")

	run := orderly120()
	p := find(t, run, 20, kind(history.Publish, history.OK))
	d := find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == p.Key })
	run.Ops = append(run.Ops, history.Op{
		Workload: "w", Queue: testQueue, Kind: history.Delete, Outcome: history.OK, Call: p.Return + 1, Return: p.Return + 2,
	})
	require.Zero(t, c.Check(run).Found[KindResurrected], "the handler may have started late")
	last := find(t, run, 50, kind(history.Publish, history.OK))
	d.Token, d.Call, d.Return = 10000, last.Return+1, last.Return+1
	run.Ops = append(run.Ops, history.Op{Workload: "w", Queue: testQueue, Kind: history.Publish, Key: history.Key{Producer: 9, Seq: 1},
		Outcome: history.OK, Call: last.Return, Return: last.Return})
	later := *d
	later.Key, later.Token = history.Key{Producer: 9, Seq: 1}, 9999
	run.Ops = append(run.Ops, later)
	require.Equal(t, int64(1), c.Check(run).Found[KindResurrected], "%s", c.Check(run))
}

func TestFailuresAreAPolicy(t *testing.T) {
	c := accounting()
	c.FailureLimit = 2
	run := orderly120()
	for i := range run.Ops {
		if run.Ops[i].Dead != "" {
			run.Ops[i].Dead = "failures"
		}
	}
	require.Equal(t, Valid, c.Check(run).Result)
	c.DeadLetters, c.Floors.Dead = false, 0
	drop(run, func(o *history.Op) bool { return o.Dead != "" || o.Kind == history.Reject })
	require.Equal(t, Invalid, c.Check(run).Result)
	for i := range run.Ops {
		if run.Ops[i].Kind == history.Deliver {
			run.Ops[i].Failures = 1
		}
	}
	require.Equal(t, Valid, c.Check(run).Result, "%s", c.Check(run))
}

// TestMoved has a message delivered from a queue that it was not published to:
// that is right only where messages are moved.
func TestMoved(t *testing.T) {
	moved := orderly120()
	for i := range moved.Ops {
		if o := &moved.Ops[i]; o.Kind == history.Publish {
			o.Queue = "in"
		}
	}
	c := accounting()
	require.NotZero(t, c.Check(moved).Found[KindUnexpected])
	c.Moved = true
	require.Equal(t, Valid, c.Check(moved).Result)
}
