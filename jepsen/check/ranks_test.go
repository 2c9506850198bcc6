package check

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// rankOf gives producers 1 and 2 a tenant each, and their messages one of three
// priorities.
func rankOf(k history.Key) Rank {
	return Rank{Tenant: []string{"", "a", "b"}[k.Producer], Priority: []int{9, 9, 4, 0}[k.Seq%4]}
}

var rankWeights = map[string]int{"a": 2}

const rankGuard = 3

// ranked is a history of bursts that a queue hands out one by one. Every tenth
// message is given back once. Somebody's message in another queue tells that
// the log has gone past the burst. who chooses the next of those that wait.
func ranked(who func(waiting []standing) int) *history.Run {
	b := newBook()
	given := 0
	for range 6 {
		var waiting []standing
		for i := range 24 {
			k, id := b.publish(uint32(i%3/2)+1, history.OK, true)
			waiting = append(waiting, standing{k, id, 1})
		}
		b.beyond()
		for len(waiting) > 0 {
			i := who(waiting)
			x := waiting[i]
			d := b.deliver(3, x.key, x.id, x.attempt)
			if given++; given%10 == 0 && x.attempt == 1 {
				b.settle(history.Nack, d, history.OK)
				waiting[i].attempt++
				b.beyond()
				continue
			}
			b.settle(history.Ack, d, history.OK)
			waiting = slices.Delete(waiting, i, i+1)
		}
	}
	return b.close()
}

// standing is a message that waits.
type standing struct {
	key     history.Key
	id      history.Witness
	attempt int
}

// beyond has somebody see a message of another queue that is the log's last.
func (b *book) beyond() {
	b.queue = "elsewhere"
	k, id := b.publish(1, history.OK, true)
	b.settle(history.Ack, b.deliver(4, k, id, 1), history.OK)
	b.queue = testQueue
}

// byPriority is the order of a queue that is not fair.
func byPriority(guard int) func([]standing) int {
	passed := 0
	return func(waiting []standing) int {
		top := highest(waiting)
		first, lower := oldest(waiting, func(p int) bool { return p == top }), oldest(waiting, func(p int) bool { return p < top })
		switch {
		case lower < 0:
			passed = 0
			return first
		case guard > 0 && passed >= guard-1:
			passed = 0
			return lower
		}
		passed++
		return first
	}
}

// byTurns is that of a fair one.
func byTurns(weights map[string]int) func([]standing) int {
	within := map[string]func([]standing) int{"a": byPriority(rankGuard), "b": byPriority(rankGuard)}
	at, used := "a", 0
	return func(waiting []standing) int {
		mine := map[string][]standing{}
		for _, x := range waiting {
			mine[rankOf(x.key).Tenant] = append(mine[rankOf(x.key).Tenant], x)
		}
		if used >= max(1, weights[at]) || len(mine[at]) == 0 {
			at, used = map[string]string{"a": "b", "b": "a"}[at], 0
		}
		if len(mine[at]) == 0 {
			at = slices.Collect(maps.Keys(mine))[0]
		}
		used++
		return slices.Index(waiting, mine[at][within[at](mine[at])])
	}
}

func highest(waiting []standing) int {
	top := slices.MaxFunc(waiting, func(a, b standing) int {
		return cmp.Compare(rankOf(a.key).Priority, rankOf(b.key).Priority)
	})
	return rankOf(top.key).Priority
}

func oldest(waiting []standing, of func(priority int) bool) int {
	return slices.IndexFunc(waiting, func(x standing) bool { return of(rankOf(x.key).Priority) })
}

// instead has another queue hand out everything.
func instead(who func() func([]standing) int) func(*testing.T, *history.Run) {
	return func(_ *testing.T, run *history.Run) { *run = *ranked(who()) }
}

// exchange has two messages handed out, and settled, in each other's place.
func exchange(run *history.Run, a, b uint64) {
	for i := range run.Ops {
		switch o := &run.Ops[i]; o.Token {
		case a:
			o.Token = b
		case b:
			o.Token = a
		}
	}
}

// pair finds, among the first hand-outs, the n-th two that follow each other
// and are as they should be.
func pair(t *testing.T, run *history.Run, n int, ok func(a, b Rank) bool) (x, y uint64) {
	t.Helper()
	var last *history.Op
	for i := range run.Ops {
		o := &run.Ops[i]
		if o.Kind != history.Deliver || o.Queue != testQueue {
			continue
		}
		if last != nil && last.Attempt == 1 && o.Attempt == 1 && ok(rankOf(last.Key), rankOf(o.Key)) {
			if n == 0 {
				return last.Token, o.Token
			}
			n--
		}
		last = o
	}
	require.Fail(t, "no such pair")
	return 0, 0
}

func TestRanksOfPriorities(t *testing.T) {
	c := Ranks{Workload: "w", Queue: testQueue, Rank: rankOf, Guard: rankGuard,
		Floors: RanksFloors{Judged: 144, Passed: 60, Guarded: 20}}
	good := func() *history.Run { return ranked(byPriority(rankGuard)) }
	mustFind(t, c, good, []planted{
		{"the younger of two", KindOrder, func(t *testing.T, run *history.Run) {
			a, b := pair(t, run, 2, func(a, b Rank) bool { return a.Priority == b.Priority })
			exchange(run, a, b)
		}},
		{"a lower one too soon", KindOvertook, func(t *testing.T, run *history.Run) {
			a, b := pair(t, run, 2, func(a, b Rank) bool { return a.Priority > b.Priority })
			exchange(run, a, b)
		}},
		{"priority is nothing", KindOvertook, instead(func() func([]standing) int {
			return func([]standing) int { return 0 }
		})},
		{"the guard comes one too soon", KindOvertook, instead(func() func([]standing) int { return byPriority(rankGuard - 1) })},
		{"the guard comes one too late", KindStarved, instead(func() func([]standing) int { return byPriority(rankGuard + 1) })},
		{"no guard", KindStarved, instead(func() func([]standing) int { return byPriority(0) })},
		{"the guard takes the lowest, not the oldest", KindOrder, instead(func() func([]standing) int {
			lowest, passed := byPriority(0), 0
			return func(waiting []standing) int {
				if i := oldest(waiting, func(p int) bool { return p == 0 }); i >= 0 && passed >= rankGuard-1 {
					passed = 0
					return i
				}
				passed++
				return lowest(waiting)
			}
		})},
		{"what was given back goes behind", KindOrder, func(t *testing.T, run *history.Run) {
			again := find(t, run, 0, attempts(2))
			next := find(t, run, 0, func(o *history.Op) bool {
				return attempts(1)(o) && o.Queue == testQueue && o.Token > again.Token && rankOf(o.Key).Priority == rankOf(again.Key).Priority
			})
			exchange(run, again.Token, next.Token)
		}},
	})
}

func TestRanksOfTenants(t *testing.T) {
	c := Ranks{Workload: "w", Queue: testQueue, Rank: rankOf, Guard: rankGuard, Weights: rankWeights,
		Floors: RanksFloors{Judged: 144, Passed: 60, Guarded: 20, Turns: 90}}
	good := func() *history.Run { return ranked(byTurns(rankWeights)) }
	mustFind(t, c, good, []planted{
		{"tenants are nothing", KindTurn, instead(func() func([]standing) int { return byPriority(rankGuard) })},
		{"one more than the weight", KindTurn, instead(func() func([]standing) int { return byTurns(map[string]int{"a": 3}) })},
		{"the weight is nothing", KindTurn, instead(func() func([]standing) int { return byTurns(nil) })},
		{"another one's weight", KindTurn, instead(func() func([]standing) int { return byTurns(map[string]int{"b": 2}) })},
		{"out of turn", KindTurn, func(t *testing.T, run *history.Run) {
			_, b := pair(t, run, 1, func(a, b Rank) bool { return a.Tenant == "a" && b.Tenant == "b" })
			next, _ := pair(t, run, 4, func(a, b Rank) bool { return a.Tenant == "a" && b.Tenant == "a" })
			exchange(run, b, next)
		}},
		{"within a tenant, a lower one too soon", KindOvertook, instead(func() func([]standing) int {
			turns := byTurns(rankWeights)
			return func(waiting []standing) int {
				tenant := rankOf(waiting[turns(waiting)].key).Tenant
				return slices.IndexFunc(waiting, func(x standing) bool { return rankOf(x.key).Tenant == tenant })
			}
		})},
	})
}

// Where somebody may have been handed what nobody saw, only what waits longest
// is judged; and behind it the rest again.
func TestRanksInDoubt(t *testing.T) {
	c := Ranks{Workload: "w", Queue: testQueue, Rank: rankOf, Guard: rankGuard}
	falls := func(a, b Rank) bool { return a.Priority > b.Priority }
	level := func(a, b Rank) bool { return a.Priority == b.Priority }
	doubts := []struct {
		name string
		wide bool // from its publish on
		do   func(run *history.Run, first, second *history.Op)
	}{
		{"the first hand-out was not seen", true, func(run *history.Run, first, _ *history.Op) {
			token := first.Token
			drop(run, func(o *history.Op) bool { return o.Token == token })
		}},
		{"nobody knows what ended the first", false, func(run *history.Run, first, _ *history.Op) {
			find(t, run, 0, func(o *history.Op) bool { return o.Kind == history.Nack && o.Token == first.Token }).Outcome = history.Unknown
		}},
		{"there was one between", false, func(_ *history.Run, _, second *history.Op) { second.Attempt++ }},
	}
	for _, x := range doubts {
		t.Run(x.name, func(t *testing.T) {
			begin := func() (run *history.Run, to uint64) {
				run = ranked(byPriority(rankGuard))
				second := find(t, run, 4, attempts(2))
				to = second.Token
				x.do(run, find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == second.Key }), second)
				return run, to
			}
			run, to := begin()
			v := c.Check(run)
			require.Equal(t, Valid, v.Result, "%s", v)
			doubtful := uint64(v.Notes["in doubt"])
			require.NotZero(t, doubtful)
			require.Less(t, doubtful, uint64(50))

			// Two change places: meanwhile, and later.
			between := func(x, y uint64) bool { return x > to-doubtful && y < to }
			behind := func(x, _ uint64) bool { return x > to+8*rankGuard } // it is known again whose turn it is
			plant := func(two func(a, b Rank) bool, when func(x, y uint64) bool) Verdict {
				run, _ := begin()
				for n := 0; ; n++ {
					if x, y := pair(t, run, n, two); when(x, y) {
						exchange(run, x, y)
						return c.Check(run)
					}
				}
			}
			if x.wide {
				v = plant(falls, between)
				require.Equal(t, Valid, v.Result, "%s", v)
				require.NotZero(t, plant(level, between).Found[KindOrder])
			}
			require.NotZero(t, plant(falls, behind).Found[KindOvertook])
			require.NotZero(t, plant(level, behind).Found[KindOrder])
		})
	}
}

func TestEntries(t *testing.T) {
	at := func(i uint64) history.Witness { return history.Witness{Index: i} }
	run := &history.Run{Ops: []history.Op{
		{Kind: history.Deliver, Token: 3, ID: at(4)},
		{Kind: history.Deliver, Token: 1, ID: at(2)},
		{Kind: history.Deliver, Token: 5, ID: at(3)},
		{Kind: history.Deliver, Token: 7, ID: at(9)},
		{Kind: history.Deliver, Token: 2, ID: history.Witness{Group: 1, Index: 100}},
		{Kind: history.Deliver, ID: at(200)}, // without acks
		{Kind: history.Ack, Token: 3, At: at(12), ID: at(4)},
		{Kind: history.Nack, Token: 5, At: at(8), ID: at(3)},
	}}
	e := newEntries(run, 0)
	require.Equal(t, []uint64{1, 3, 5, 7}, e.tokens)
	require.Equal(t, []uint64{2, 4, 4, 9}, e.from)
	require.Equal(t, []uint64{7, 7, 7, forever}, e.to)
	require.EqualValues(t, 4, e.earliest(5))
	require.EqualValues(t, 0, e.before(7))
	require.EqualValues(t, 5, e.before(8))
	require.EqualValues(t, 5, e.before(1000))
}
