package witness

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const second = int64(time.Second)

// locks makes the history of one exclusive message that four consumers hand
// around, some of whom sleep over their lease of a second.
func locks(seed uint64, turns int) *history.Run {
	r := rand.New(rand.NewPCG(seed, 3))
	key := history.Key{Producer: 1, Seq: 1}
	run := &history.Run{Ops: []history.Op{{Kind: history.Publish, Queue: "lock", Workload: "fencing", Key: key, Call: 1, Return: 5, Outcome: history.OK}}}
	now, stale := int64(10), []history.Op{}
	for token := uint64(1); token <= uint64(turns); token++ {
		o := history.Op{Workload: "fencing", Queue: "lock", Key: key, Token: token, Consumer: 1 + uint32(r.IntN(4)), Value: 1000}
		seen := now + r.Int64N(second/100)
		o.Kind, o.Call, o.Return, o.Outcome = history.Deliver, seen, seen, history.OK
		run.Ops = append(run.Ops, o)
		for i := range stale { // who overslept comes back now
			stale[i].Call, stale[i].Return = seen+1, seen+second/20
			run.Ops = append(run.Ops, stale[i])
		}
		stale = stale[:0]
		o.Call, o.Return = seen+second/50, seen+second/10
		switch r.IntN(6) {
		case 0: // it sleeps, and the next one gets it
			o.Kind, o.Outcome, o.Code, o.Cause = history.Nack, history.Fail, codeLeaseLost, causeExpired
			stale = append(stale, o)
			now = seen + second + second/2
			continue
		case 1:
			o.Kind, o.Outcome = history.Nack, history.Unknown
		case 2:
			o.Kind = history.Extend
			o.Return = o.Call + second/100
			run.Ops = append(run.Ops, o)
			o.Kind, o.Call = history.Nack, o.Return+1
			o.Return = o.Call + second/10
		default:
			o.Kind = history.Nack
		}
		run.Ops = append(run.Ops, o)
		now = o.Call + second/100 // the next one may see it before the answer is there
	}
	return run
}

func lockOf(run *history.Run) check.Verdict {
	return Lock{Workload: "fencing", Operations: 100, Windows: 1, Timeout: 20 * time.Second}.Check(run)
}

func TestOrderlyLock(t *testing.T) {
	for seed := range uint64(8) {
		v := lockOf(locks(seed, 300))
		require.Equal(t, check.Valid, v.Result, "seed %d: %s", seed, v)
		require.Contains(t, v.Picture, "<html")
		require.Greater(t, v.Checked[1].Seen, int64(2), "windows")
	}
}

func TestPlantedLockErrors(t *testing.T) {
	at := func(r *history.Run, kind history.Kind, outcome history.Outcome) *history.Op {
		return find(t, r, kind, outcome, nil)
	}
	for name, plant := range map[string]func(r *history.Run){
		"a token given twice":            func(r *history.Run) { at(r, history.Deliver, history.OK).Token-- },
		"a token from long ago":          func(r *history.Run) { at(r, history.Deliver, history.OK).Token = 2 },
		"a stale holder that is heard":   func(r *history.Run) { win(at(r, history.Nack, history.Fail)) },
		"an extension after the end":     func(r *history.Run) { at(r, history.Extend, history.OK).Token = 3 },
		"a holder refused without cause": func(r *history.Run) { lose(at(r, history.Nack, history.OK), causeExpired) },
		"a holder that is called none":   func(r *history.Run) { lose(at(r, history.Nack, history.OK), causeNotHolder) },
		"given out after its ack":        func(r *history.Run) { at(r, history.Nack, history.OK).Kind = history.Ack },
		"given out after its reject":     func(r *history.Run) { at(r, history.Nack, history.OK).Kind = history.Reject },
	} {
		t.Run(name, func(t *testing.T) {
			run := locks(1, 60)
			plant(run)
			v := lockOf(run)
			require.Equal(t, check.Invalid, v.Result, v)
			require.Positive(t, v.Found["lock"], v.String())
			require.Contains(t, v.Picture, "<html")
		})
	}
}

func lose(o *history.Op, cause string) {
	o.Outcome, o.Code, o.Cause = history.Fail, codeLeaseLost, cause
}

// TestLockCausesThatNeedNoTime: what ends a lease at once excuses a refusal.
func TestLockCausesThatNeedNoTime(t *testing.T) {
	run := locks(1, 60)
	lose(find(t, run, history.Nack, history.OK, nil), causeSessionEnded)
	require.Equal(t, check.Valid, lockOf(run).Result)

	run = locks(1, 60)
	o := find(t, run, history.Nack, history.OK, nil)
	lose(o, causeExpired)
	run.Ops = append(run.Ops, history.Op{Kind: history.Gone, Client: o.Client, Call: o.Call, Return: o.Call, Outcome: history.OK})
	require.Equal(t, check.Valid, lockOf(run).Result)

	run = locks(1, 60)
	o = find(t, run, history.Extend, history.OK, nil)
	o.Outcome, o.Code = history.Fail, "closed" // it never reached the log
	require.Equal(t, check.Valid, lockOf(run).Result)
}

// TestLateLockIsUndecided: a search that takes too long is no pass.
func TestLateLockIsUndecided(t *testing.T) {
	run := &history.Run{}
	key := history.Key{Producer: 1, Seq: 1}
	for i := range 60 { // all at once, and the last one fits nowhere
		run.Ops = append(run.Ops, history.Op{Kind: history.Nack, Queue: "lock", Key: key, Token: uint64(1 + i),
			Consumer: uint32(i), Call: 1, Return: second, Outcome: history.Unknown})
	}
	for i := range 40 {
		run.Ops = append(run.Ops, history.Op{Kind: history.Deliver, Queue: "lock", Key: key, Token: uint64(1 + i),
			Consumer: uint32(100 + i), Call: second, Return: second, Outcome: history.OK})
	}
	run.Ops = append(run.Ops, history.Op{Kind: history.Nack, Queue: "lock", Key: key, Token: 1 << 40,
		Consumer: 99, Call: 1, Return: 2 * second, Outcome: history.OK})
	v := Lock{Timeout: time.Millisecond}.Check(run)
	require.Equal(t, check.Undecided, v.Result, v)
	require.Equal(t, int64(1), v.Notes["undecided windows"])
}

func win(o *history.Op) { o.Outcome, o.Code, o.Cause = history.OK, "", "" }

// TestHandlerThatIsToldLate: a consumer whose handler slept over one lease is
// told of its next one after that had run out, too, and somebody else had it.
func TestHandlerThatIsToldLate(t *testing.T) {
	key := history.Key{Producer: 1, Seq: 1}
	run := &history.Run{Ops: []history.Op{{Kind: history.Publish, Queue: "lock", Key: key, Call: 1, Return: 5, Outcome: history.OK}}}
	add := func(kind history.Kind, token uint64, consumer uint32, at, until int64, code string) {
		o := history.Op{Kind: kind, Queue: "lock", Key: key, Token: token, Client: consumer, Consumer: consumer,
			Call: at * second / 1000, Return: until * second / 1000, Outcome: history.OK, Value: 1000}
		if code != "" {
			o.Outcome, o.Code, o.Cause = history.Fail, code, causeExpired
		}
		run.Ops = append(run.Ops, o)
	}
	add(history.Deliver, 1, 1, 10, 10, "")
	add(history.Deliver, 2, 2, 1020, 1020, "")
	add(history.Nack, 2, 2, 1100, 1120, "")
	add(history.Deliver, 4, 3, 2150, 2150, "") // 3 was granted to consumer 1, and ran out
	add(history.Nack, 1, 1, 3000, 3000, codeLeaseLost)
	add(history.Deliver, 3, 1, 3001, 3001, "")
	add(history.Nack, 3, 1, 3002, 3002, codeLeaseLost)
	add(history.Nack, 4, 3, 3003, 3020, codeLeaseLost)
	v := Lock{}.Check(run)
	require.Equal(t, check.Valid, v.Result, v)

	// But not after something was accepted under a newer lease.
	run.Ops[3].Call, run.Ops[3].Return = 2200*second/1000, 2210*second/1000 // the nack of 2
	v = Lock{}.Check(run)
	require.Equal(t, check.Invalid, v.Result, v)
}
