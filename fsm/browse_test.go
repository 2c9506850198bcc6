package fsm

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// Pages have every message once, in the order of the places, whatever the
// messages are waiting for.
func TestBrowseHasEveryMessageOnce(t *testing.T) {
	seen := map[MessageState]int{}
	var s *State
	var lease int64
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 2400 {
		if i%30 == 0 {
			s, lease = prepared(t), 0
		}
		in := &feed{b: make([]byte, 400)}
		for i := range in.b {
			in.b[i] = byte(rng.Uint32())
		}
		if _, err := s.Apply(s.Index()+1, in.entry(&lease)); err != nil {
			s, lease = prepared(t), 0 // raw bytes that were no commands
		}
		for _, name := range []string{"q", "q.dlq", "r"} {
			var want, got []MessageInfo
			s.Messages(name, func(m MessageInfo) bool {
				want = append(want, m)
				seen[m.State]++
				return true
			})
			slices.SortFunc(want, func(a, b MessageInfo) int { return cmp.Compare(a.Place, b.Place) })
			for c := (BrowseQuery{Limit: 3}); ; {
				page, ok := s.Browse(name, c)
				for i := range page.Messages {
					got = append(got, page.Messages[i].MessageInfo)
					require.NotZero(t, page.Messages[i].Body.Len())
				}
				if !ok || !page.More {
					break
				}
				c.After = page.Next
			}
			require.Equal(t, want, got)
		}
	}
	for _, state := range []MessageState{Ready, Leased, Scheduled, Retrying, Parked} {
		require.NotZero(t, seen[state], "no message was in state %d", state)
	}
}

// Many lines, each packed, are merged; conditions leave messages out; and the
// work of one call is bounded.
func TestBrowseIsBoundedAndFiltered(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	for i := range 15 {
		m := (&feed{}).message()
		m.GroupKey = []string{"", "a", "b"}[i%3]
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1000, Records: recordsOfKind(1000, 8, m)})
	}
	page, ok := d.s.Browse("q", BrowseQuery{Limit: 20_000, Group: "b"})
	require.True(t, ok && page.More)
	require.Len(t, page.Messages, 1000)
	require.EqualValues(t, browseMax, page.Next)
	of := page.Messages
	for page.More {
		page, _ = d.s.Browse("q", BrowseQuery{After: page.Next, Limit: 20_000, Group: "b"})
		of = append(of, page.Messages...)
	}
	require.Len(t, of, 5000)
	one := of[1234]
	page, _ = d.s.Browse("q", BrowseQuery{After: one.Place - 1, Limit: 1, Index: one.ID.Index, Position: one.ID.Position})
	require.Equal(t, one, page.Messages[0])
	page, _ = d.s.Browse("q", BrowseQuery{Limit: 1, States: StatesOf(Leased, Parked)})
	require.Empty(t, page.Messages)
	_, ok = d.s.Browse("nowhere", BrowseQuery{})
	require.False(t, ok)
}

// TestBrowseWhileLinesChange: each page is what a plain walk finds behind the
// last one, in whatever line it is, and between pages anything may happen. So
// what stays where it is is seen once.
func TestBrowseWhileLinesChange(t *testing.T) {
	for seed := range uint64(3) {
		d := newDriver(t)
		rng := rand.New(rand.NewPCG(seed, 7))
		d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{Retry: RetryImmediate, GroupBatch: 4, Fair: seed%2 == 1}})
		d.ok(&Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 60})
		for range 20 {
			changeLines(d, rng, 0)
		}
		first := walked(d.s, 0)
		seen, after, more := map[uint64]bool{}, uint64(0), true
		for pages := 0; more; pages++ {
			page, _ := d.s.Browse("q", BrowseQuery{After: after, Limit: 1 + rng.IntN(400)})
			want := walked(d.s, after)
			require.True(t, len(page.Messages) > 0 || len(want) == 0, "seed %d: an empty page", seed)
			for i, m := range page.Messages {
				require.Equal(t, want[i], m.MessageInfo, "seed %d", seed)
				seen[m.Place] = true
			}
			if more = page.More; !more {
				require.Len(t, page.Messages, len(want), "seed %d: the last page", seed)
			}
			after = page.Next
			if pages < 40 {
				changeLines(d, rng, rng.IntN(6))
			}
			if pages%8 == 7 {
				d.s = copyOf(t, d.s)
			}
		}
		stayed := 0
		last := walked(d.s, 0)
		for _, m := range first {
			if _, ok := slices.BinarySearchFunc(last, m.Place, func(m MessageInfo, place uint64) int { return cmp.Compare(m.Place, place) }); ok {
				require.True(t, seen[m.Place], "seed %d: place %d", seed, m.Place)
				stayed++
			}
		}
		require.Greater(t, stayed, 500, "seed %d", seed)
	}
}

// walked are the messages of q above a place, by place.
func walked(s *State, after uint64) (all []MessageInfo) {
	s.Messages("q", func(m MessageInfo) bool {
		if m.Place > after {
			all = append(all, m)
		}
		return true
	})
	slices.SortFunc(all, func(a, b MessageInfo) int { return cmp.Compare(a.Place, b.Place) })
	return all
}

// changeLines publishes to some line of q, or does something to some message.
func changeLines(d *driver, rng *rand.Rand, what int) {
	all := walked(d.s, 0)
	if len(all) == 0 {
		what = 0
	}
	if what == 0 {
		n := 1 + rng.IntN(300)
		priority := uint8(3 + rng.IntN(2))
		m := record.Message{Priority: &priority, GroupKey: []string{"", "a", "b", "c"}[rng.IntN(4)], Tenant: []string{"", "t"}[rng.IntN(2)]}
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: uint32(n), Records: recordsOfKind(n, 8, m)})
		return
	}
	m := all[rng.IntN(len(all))]
	if what < 4 { // what is leased is not many
		m = all[slices.IndexFunc(all, func(m MessageInfo) bool { return m.State == Leased })]
	}
	one := AmendItem{Place: m.Place, Index: m.ID.Index, Position: m.ID.Position}
	switch what {
	case 1, 2, 3:
		info, _ := d.s.Queue("q")
		d.ok(&Settle{OpHeader: d.op(), Items: []SettleItem{{Incarnation: info.Incarnation, Place: m.Place, Token: m.Token,
			Action: []Action{ActionAck, ActionNack, ActionReject}[what-1], Reason: ReasonDownstream}}})
	case 4:
		d.do(&Amend{OpHeader: d.op(), Queue: "q", Action: AmendDelete, Items: []AmendItem{one}})
	case 5:
		d.do(&Amend{OpHeader: d.op(), Queue: "q", Action: AmendRequeue, Items: []AmendItem{one}})
	}
}

// TestBrowsePassesLittle: a message deep in its line is found past others of
// that line, and a page is the shorter for it, but gets further.
func TestBrowsePassesLittle(t *testing.T) {
	const groups, depth = 200, 200
	x := newBench(t, 8, false)
	for range depth {
		x.groups(t, groups)
	}
	for _, above := range []uint64{0, 160} {
		q := BrowseQuery{After: groups * above, Limit: 1, States: StatesOf(Parked)}
		page, _ := x.s.Browse("q", q)
		want := browseMax - groups*above/browsePassed // each line is begun once
		if got := page.Next - q.After; len(page.Messages) > 0 || !page.More || got != want {
			t.Errorf("after %d of each: looked at %d, want %d", above, got, want)
		}
	}
	places := uint64(0)
	for q, more := (BrowseQuery{Limit: 1, States: StatesOf(Parked)}), true; more; {
		var page BrowsePage
		page, _ = x.s.Browse("q", q)
		if more = page.More; more && page.Next <= q.After {
			t.Fatalf("a page after %d goes nowhere", q.After)
		}
		q.After, places = page.Next, page.Next
	}
	if places != groups*depth {
		t.Errorf("the last page ends at %d", places)
	}
}

// TestBrowseByStateAndAge: each state is found by its name, and a time bounds
// what it names, in whatever state that is: its own millisecond is within.
func TestBrowseByStateAndAge(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{DLQMessages: 1, RetryBaseMillis: 60_000, Retry: RetryFixed}})
	d.ok(&Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 4})
	publish := func(at int64, m record.Message) []Effect {
		d.lease = at
		return d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: recordsOfKind(1, 4, m)}).Effects
	}
	settle := func(e []Effect, action Action) {
		d.ok(&Settle{OpHeader: d.op(), Items: []SettleItem{{Incarnation: e[0].Incarnation, Place: e[0].Place, Token: e[0].Token,
			Action: action, Reason: ReasonMessage}}})
	}
	dead, parked := publish(10, record.Message{}), publish(11, record.Message{})
	retrying := publish(20, record.Message{})
	publish(30, record.Message{}) // leased
	settle(dead, ActionReject)
	settle(parked, ActionReject) // the dead-letter queue is full
	settle(retrying, ActionNack)
	d.ok(&QueuePause{OpHeader: d.op(), Queue: "q", Paused: true})
	publish(40, record.Message{DelayMillis: 60_000})
	publish(50, record.Message{})
	d.lease = 1000

	before, digest := d.s.Hash(), d.s.Digest()
	states := []MessageState{Parked, Retrying, Leased, Scheduled, Ready}
	times := []int64{11, 20, 30, 40, 50}
	browse := func(q BrowseQuery) (found []MessageState) {
		q.Limit = 10
		page, ok := d.s.Browse("q", q)
		require.True(t, ok && !page.More)
		for _, m := range page.Messages {
			require.Equal(t, times[slices.Index(states, m.State)], m.EnqueuedMillis)
			found = append(found, m.State)
		}
		return found
	}
	require.Equal(t, states, browse(BrowseQuery{}))
	for i, at := range times {
		require.Equal(t, states[i:i+1], browse(BrowseQuery{States: StatesOf(states[i])}))
		require.Equal(t, states[i:], browse(BrowseQuery{SinceMillis: at}))
		require.ElementsMatch(t, states[i+1:], browse(BrowseQuery{SinceMillis: at + 1}))
		require.Equal(t, states[:i+1], browse(BrowseQuery{UntilMillis: at}))
		require.ElementsMatch(t, states[:i], browse(BrowseQuery{UntilMillis: at - 1}))
		require.Equal(t, states[i:i+1], browse(BrowseQuery{SinceMillis: at, UntilMillis: at}))
		require.Empty(t, browse(BrowseQuery{SinceMillis: at, UntilMillis: at, States: StatesOf(states[(i+1)%5])}))
	}
	require.Equal(t, []MessageState{Leased, Ready}, browse(BrowseQuery{States: StatesOf(Ready, Leased)}))

	// A dead letter is as old as it was.
	page, _ := d.s.Browse("q.dlq", BrowseQuery{SinceMillis: 10, UntilMillis: 10})
	require.Len(t, page.Messages, 1)
	page, _ = d.s.Browse("q.dlq", BrowseQuery{SinceMillis: 11})
	require.Empty(t, page.Messages)

	// Nothing was changed by all of it.
	require.NoError(t, d.s.Check())
	require.True(t, before == d.s.Hash() && digest == d.s.Digest())
}
