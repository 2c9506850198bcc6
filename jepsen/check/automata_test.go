package check

import (
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

func automata() Automata {
	return Automata{Workload: "w", Lease: testLease, FailureLimit: 3,
		Floors: AutomataFloors{Messages: 90, Leases: 100, Settles: 100, Refused: 5}}
}

// stored gives the place in the log that the message of an operation has.
func publishOf(t *testing.T, run *history.Run, o *history.Op) *history.Op {
	return find(t, run, 0, func(p *history.Op) bool { return p.Kind == history.Publish && p.Key == o.Key })
}

// handedBack gives the nack of a message, and what followed it.
func handedBack(t *testing.T, run *history.Run) (first, nack, second, ack *history.Op) {
	nack = find(t, run, 1, kind(history.Nack, history.OK))
	of := func(k history.Kind, attempt int) *history.Op {
		return find(t, run, 0, func(o *history.Op) bool { return o.Key == nack.Key && o.Kind == k && o.Attempt == attempt })
	}
	return of(history.Deliver, 1), nack, of(history.Deliver, 2), of(history.Ack, 2)
}

func TestAutomata(t *testing.T) {
	mustFind(t, automata(), orderly120, []planted{
		{"another id than its receipt's", KindIdentity, func(t *testing.T, run *history.Run) {
			find(t, run, 20, attempts(1)).ID.Index = 9999
		}},
		{"another id the second time", KindIdentity, func(t *testing.T, run *history.Run) {
			find(t, run, 1, attempts(2)).ID.Position = 7
		}},
		{"one id of two", KindIdentity, func(t *testing.T, run *history.Run) {
			id := find(t, run, 20, attempts(1)).ID
			k := find(t, run, 30, attempts(1)).Key
			for i := range run.Ops {
				if o := &run.Ops[i]; o.Key == k {
					if o.ID.Index != 0 {
						o.ID = id
					}
					if o.Kind == history.Publish {
						o.At = id
					}
				}
			}
		}},
		{"one token of two", KindToken, func(t *testing.T, run *history.Run) {
			find(t, run, 20, attempts(1)).Token = find(t, run, 30, attempts(1)).Token
		}},
		{"an older token later", KindToken, func(t *testing.T, run *history.Run) {
			a, b := find(t, run, 20, attempts(1)), find(t, run, 60, attempts(1))
			a.Token, b.Token = b.Token, a.Token
		}},
		{"settled and never delivered", KindToken, func(t *testing.T, run *history.Run) {
			find(t, run, 20, kind(history.Ack, history.OK)).Token = 9999
		}},
		{"no attempt", KindAttempt, func(t *testing.T, run *history.Run) { find(t, run, 20, attempts(1)).Attempt = 0 }},
		{"an attempt twice", KindAttempt, func(t *testing.T, run *history.Run) { find(t, run, 1, attempts(2)).Attempt = 1 }},
		{"failures fall", KindFailures, func(t *testing.T, run *history.Run) {
			first, _, second, _ := handedBack(t, run)
			first.Attempt, second.Attempt = 3, 4
			first.Failures, second.Failures = 2, 1
		}},
		{"more failures than attempts", KindFailures, func(t *testing.T, run *history.Run) { find(t, run, 1, attempts(2)).Failures = 2 }},
		{"more failures than the limit", KindFailures, func(t *testing.T, run *history.Run) {
			d := find(t, run, 1, attempts(2))
			d.Attempt, d.Failures = 5, 3
		}},
		{"the older lease was taken for good", KindStaleSettle, func(t *testing.T, run *history.Run) {
			s := find(t, run, 2, func(o *history.Op) bool { return o.Code == "lease_lost" })
			s.Outcome, s.Code = history.OK, ""
		}},
		{"acked after it was handed back", KindAfterEnd, func(t *testing.T, run *history.Run) {
			_, nack, second, _ := handedBack(t, run)
			s := *nack
			s.Kind, s.Call, s.Return = history.Ack, nack.Return, second.Call-1
			s.At.Position++
			run.Ops = append(run.Ops, s)
		}},
		{"extended after it was acked", KindAfterEnd, func(t *testing.T, run *history.Run) {
			s := *find(t, run, 20, kind(history.Ack, history.OK))
			s.Kind, s.Call, s.Return = history.Extend, s.Return+1, s.Return+2
			run.Ops = append(run.Ops, s)
		}},
		{"extended after it was acked, by the log", KindAfterEnd, func(t *testing.T, run *history.Run) {
			s := *find(t, run, 20, kind(history.Ack, history.OK))
			s.Kind, s.At.Position = history.Extend, 1
			run.Ops = append(run.Ops, s)
		}},
		{"acked before it was published, by the log", KindWitnessOrder, func(t *testing.T, run *history.Run) {
			a := find(t, run, 20, kind(history.Ack, history.OK))
			a.At.Index = publishOf(t, run, a).At.Index - 1
		}},
		{"the second lease before the first ended, by the log", KindWitnessOrder, func(t *testing.T, run *history.Run) {
			_, nack, _, ack := handedBack(t, run)
			nack.At, ack.At = ack.At, nack.At
		}},
		{"refused with a lease", KindRefused, func(t *testing.T, run *history.Run) {
			a := find(t, run, 20, kind(history.Ack, history.OK))
			a.Outcome, a.Code = history.Fail, "lease_lost"
		}},
		{"refused after an extension", KindRefused, func(t *testing.T, run *history.Run) {
			x := find(t, run, 2, kind(history.Extend, history.OK))
			a := find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Ack && o.Key == x.Key })
			a.Outcome, a.Code = history.Fail, "lease_lost"
		}},
	})
}

// TestAutomataExplainRefusals holds every reason for lease_lost.
func TestAutomataExplainRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(run *history.Run, a *history.Op)
	}{
		{"it had settled", func(run *history.Run, a *history.Op) {
			s := *a
			s.Outcome, s.Code = history.Unknown, ""
			run.Ops = append(run.Ops, s)
		}},
		{"the lease ran out", func(_ *history.Run, a *history.Op) { a.Return += int64(testLease) }},
		{"the client ended", func(run *history.Run, a *history.Op) {
			run.Ops = append(run.Ops, history.Op{Client: a.Client, Workload: "w", Kind: history.Gone, Call: a.Call, Return: a.Call, Outcome: history.OK})
		}},
		{"the queue was deleted", func(run *history.Run, a *history.Op) {
			run.Ops = append(run.Ops, history.Op{Queue: testQueue, Workload: "w", Kind: history.Delete, Call: a.Call, Outcome: history.Unknown})
		}},
		{"there is a newer lease", func(run *history.Run, a *history.Op) {
			d := *a
			d.Kind, d.Token, d.Attempt, d.Consumer, d.Outcome, d.Code = history.Deliver, a.Token+1, a.Attempt+1, 9, history.OK, ""
			d.Call, d.Return = run.Ended, run.Ended // whose handler starts late
			run.Ops = append(run.Ops, d)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := orderly120()
			for i := range run.Ops {
				run.Ops[i].Token *= 10 // room for more
			}
			a := find(t, run, 20, kind(history.Ack, history.OK))
			a.Outcome, a.Code = history.Fail, "lease_lost"
			refused := *a
			require.Equal(t, int64(1), automata().Check(run).Found[KindRefused])
			c.do(run, find(t, run, 0, func(o *history.Op) bool { return o.Token == refused.Token && o.Kind == refused.Kind }))
			require.Zero(t, automata().Check(run).Found[KindRefused], "%s", automata().Check(run))
		})
	}
}

// locking is a history of one lock: held and handed back, held beyond the
// lease and refused, acked and published anew, by three contenders in turn.
func locking() *history.Run {
	b := newBook()
	k, id := b.publish(1, history.OK, true)
	attempt := 0
	var stale *history.Op
	write := func(d history.Op, outcome history.Outcome) {
		o := b.event(history.Op{Client: d.Client, Consumer: d.Consumer, Kind: Write, Queue: d.Queue, Token: d.Token})
		if o.Outcome = outcome; outcome == history.Fail {
			o.Code = CodeFenced
		}
	}
	for i := range 60 {
		attempt++
		d := b.deliver(uint32(3+i%3), k, id, attempt)
		write(d, history.OK)
		if stale != nil {
			write(*stale, history.Fail)
			b.settle(history.Nack, *stale, history.Fail).Code = "lease_lost"
			stale = nil
		}
		switch i % 3 {
		case 0:
			b.settle(history.Nack, d, history.OK)
		case 1:
			b.tick(testLease)
			stale = &d
		case 2:
			b.settle(history.Ack, d, history.OK)
			k, id = b.publish(1, history.OK, true)
			attempt = 0
		}
	}
	return b.close()
}

func TestFencing(t *testing.T) {
	c := Fencing{Workload: "w", Lease: testLease, Floors: FencingFloors{Grants: 60, Writes: 60, Fenced: 40}}
	writes := func(outcome history.Outcome) func(*history.Op) bool { return kind(Write, outcome) }
	mustFind(t, c, locking, []planted{
		{"a grant below the one before", KindToken, func(t *testing.T, run *history.Run) {
			d := find(t, run, 3, attempts(2))
			d.Token -= 2
		}},
		{"one grant to two", KindShared, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 9, func(o *history.Op) bool { return o.Kind == history.Deliver })
			d.Consumer++
			run.Ops = append(run.Ops, d)
		}},
		{"two hold it", KindOverlap, func(t *testing.T, run *history.Run) {
			n := find(t, run, 4, kind(history.Nack, history.OK))
			drop(run, func(o *history.Op) bool { return o.Kind == history.Nack && o.Token == n.Token })
		}},
		{"two hold it, the lease was longer", KindOverlap, func(_ *testing.T, run *history.Run) {
			for i := range run.Ops {
				run.Ops[i].Value *= 3
			}
		}},
		{"a stale holder's settle is accepted", KindStaleSettle, func(t *testing.T, run *history.Run) {
			s := find(t, run, 4, func(o *history.Op) bool { return o.Code == "lease_lost" })
			s.Outcome, s.Code = history.OK, ""
		}},
		{"a stale holder writes", KindStaleWrite, func(t *testing.T, run *history.Run) {
			s := find(t, run, 4, writes(history.Fail))
			s.Outcome, s.Code = history.OK, ""
		}},
		{"the newest holder may not write", KindFreshRefused, func(t *testing.T, run *history.Run) {
			s := find(t, run, 4, writes(history.OK))
			s.Outcome, s.Code = history.Fail, CodeFenced
		}},
		{"somebody without a grant writes", KindToken, func(t *testing.T, run *history.Run) {
			find(t, run, 4, writes(history.OK)).Token = 9999
		}},
		{"nobody was fenced", KindVacuous, func(_ *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Outcome == history.Fail })
		}},
	})
	late := locking()
	d := find(t, late, 3, attempts(2))
	d.Call += int64(10 * time.Millisecond) // its handler starts late
	require.Equal(t, Valid, c.Check(late).Result, "%s", c.Check(late))
}
