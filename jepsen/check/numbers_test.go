package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

// resent is a history of two clients whose every third operation was sent
// again, and of the log, in which every sixth is committed twice.
func resent() *history.Run {
	b := newBook()
	for range 60 {
		k, id := b.publish(1, history.OK, true)
		d := b.deliver(3, k, id, 1)
		b.settle(history.Ack, d, history.OK)
	}
	run := b.close()
	for i := range run.Ops {
		o := &run.Ops[i]
		if o.Kind == history.Deliver {
			continue
		}
		e := history.Entry{Index: o.At.Index, Commands: []history.Command{commandOf(o)}}
		run.Log = append(run.Log, e)
		if o.Number%3 == 0 {
			o.Sends = 2
		}
		if o.Number%6 == 0 {
			e.Index += 1000
			run.Log = append(run.Log, e)
			e.Index, e.Void = e.Index+1000, true
			run.Log = append(run.Log, e)
		}
	}
	return run
}

// commandOf is an operation as the log has it.
func commandOf(o *history.Op) history.Command {
	session := map[uint32]string{1: "aa", 3: "cc"}[o.Client]
	if o.Kind == history.Publish {
		return history.Command{Kind: "publish", Session: session, Number: o.Number, Messages: history.Messages{Bodies: []string{"no key", o.Key.String() + " ..."}}}
	}
	return history.Command{Kind: "settle", Session: session, Number: o.Number, Items: []history.Item{{Token: o.Token, Action: string(o.Kind)}}}
}

func TestOperationNumbers(t *testing.T) {
	c := OperationNumbers{Workload: "w", Floors: NumbersFloors{Operations: 120, Resent: 40, Copies: 20}}
	nth := func(t *testing.T, run *history.Run, k history.Kind, n int) *history.Op {
		return find(t, run, n, kind(k, history.OK))
	}
	mustFind(t, c, resent, []planted{
		{"delivered under another id", KindAppliedTwice, func(t *testing.T, run *history.Run) {
			nth(t, run, history.Deliver, 9).ID.Index = 1777
		}},
		{"delivered under two ids", KindAppliedTwice, func(t *testing.T, run *history.Run) {
			nth(t, run, history.Publish, 9).Outcome = history.Unknown
			d := *nth(t, run, history.Deliver, 9)
			d.ID.Index, d.Token = 1777, 999
			run.Ops = append(run.Ops, d)
		}},
		{"one number at two places", KindAppliedTwice, func(t *testing.T, run *history.Run) {
			nth(t, run, history.Publish, 9).Number = nth(t, run, history.Publish, 8).Number
		}},
		{"one number for a publish and an ack", KindNumber, func(t *testing.T, run *history.Run) {
			a := nth(t, run, history.Ack, 9)
			a.Client, a.Number = 1, nth(t, run, history.Publish, 9).Number
		}},
		{"one number for publishes to two queues", KindNumber, func(t *testing.T, run *history.Run) {
			p := nth(t, run, history.Publish, 9)
			p.Number, p.Queue = p.Number-1, "other"
		}},
		{"two operations at one place", KindNumber, func(t *testing.T, run *history.Run) {
			p, q := nth(t, run, history.Publish, 9), nth(t, run, history.Publish, 8)
			p.Number, p.At = q.Number, q.At
		}},
		{"a copy of an ack took effect, too", KindAppliedTwice, func(t *testing.T, run *history.Run) {
			a := *nth(t, run, history.Ack, 5)
			a.At.Index, a.Number = a.At.Index+1000, 777
			run.Ops = append(run.Ops, a)
		}},
		{"nothing was sent again", KindVacuous, func(_ *testing.T, run *history.Run) {
			for i := range run.Ops {
				run.Ops[i].Sends = 1
			}
		}},
		{"nothing was committed again", KindVacuous, func(_ *testing.T, run *history.Run) { run.Log = nil }},
	})
	batch := resent()
	p, q := nth(t, batch, history.Publish, 9), nth(t, batch, history.Publish, 8)
	d := nth(t, batch, history.Deliver, 9)
	a := nth(t, batch, history.Ack, 9)
	p.Number, p.At = q.Number, q.At
	p.At.Position = 1
	d.ID, a.ID = p.At, p.At
	require.Equal(t, Valid, c.with(119).Check(batch).Result, "messages of one frame: %s", c.with(119).Check(batch))

	anew := resent()
	p = nth(t, anew, history.Publish, 9)
	p.Number = 1
	anew.Ops = append(anew.Ops, history.Op{Client: 1, Workload: "w", Kind: history.Gone, Call: p.Call - 1, Return: p.Call - 1})
	require.Equal(t, Valid, c.with(119).Check(anew).Result, "another session: %s", c.with(119).Check(anew))
}

// with is the checker with another floor of operations.
func (n OperationNumbers) with(operations int64) OperationNumbers {
	n.Floors.Operations = operations
	return n
}
