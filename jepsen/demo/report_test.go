package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// lines writes the history of lines that are published, delivered and acked,
// and of the queue that took them.
func lines(n int) *history.Run {
	run := &history.Run{Drained: int64(n+1) * 1000}
	for i := range n {
		at := int64(i+1) * 100
		id := history.Witness{Index: uint64(i + 1)}
		publish := op(1, history.Publish, i)
		publish.Call, publish.Return, publish.Outcome, publish.At = at, at+10, history.OK, id
		deliver := op(2, history.Deliver, i)
		deliver.Call, deliver.Return, deliver.Outcome, deliver.ID = at+20, at+20, history.OK, id
		deliver.Consumer, deliver.Token, deliver.Attempt = 1, uint64(i+1), 1
		ack := deliver
		ack.Kind, ack.Call, ack.Return = history.Ack, at+30, at+40
		run.Ops = append(run.Ops, publish, deliver, ack)
	}
	run.Replicas = []history.Replica{{Node: "n1", Queues: []history.Queue{
		{Name: queue, Published: uint64(n), Acked: uint64(n)},
	}}}
	return run
}

func TestJudgeCountsLines(t *testing.T) {
	a, err := judge(lines(10), 10)
	require.NoError(t, err)
	require.Equal(t, account{published: 10, confirmed: 10, consumed: 10}, a)
}

func TestJudgeFindsWhatMustNotBe(t *testing.T) {
	t.Run("a lost line", func(t *testing.T) {
		run := lines(10)
		run.Ops = run.Ops[:len(run.Ops)-2]
		a, err := judge(run, 10)
		require.ErrorContains(t, err, check.KindLost)
		require.Equal(t, account{published: 10, confirmed: 10, consumed: 9, lost: 1}, a)
	})
	t.Run("a line twice", func(t *testing.T) {
		run := lines(10)
		again := run.Ops[len(run.Ops)-2]
		again.Consumer, again.Call, again.Return = 2, again.Call+5, again.Return+5
		run.Ops = append(run.Ops, again)
		a, err := judge(run, 10)
		require.ErrorContains(t, err, check.KindShared)
		require.Equal(t, account{published: 10, confirmed: 10, consumed: 10, redelivered: 1, duplicated: 1}, a)
	})
	t.Run("too few lines", func(t *testing.T) {
		_, err := judge(lines(10), 11)
		require.ErrorContains(t, err, check.KindVacuous)
	})
	t.Run("a queue that took more", func(t *testing.T) {
		run := lines(10)
		run.Replicas[0].Queues[0].Published++
		_, err := judge(run, 10)
		require.ErrorContains(t, err, check.KindTotals)
	})
}

// No line is what the body of a key is: nobody can take one for the other.
func TestLinesAreNoKeys(t *testing.T) {
	seen := map[history.Key]bool{}
	for n := range 100 {
		require.NotZero(t, keyOf(n))
		require.False(t, seen[keyOf(n)])
		seen[keyOf(n)] = true
	}
	_, err := history.ParseKey([]byte("0\tp1-1 "))
	require.Error(t, err)
}
