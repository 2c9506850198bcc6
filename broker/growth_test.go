package broker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// alarmed has a pair of nodes, whose leader has an alarm as it is told, and a
// client at each.
func alarmed(t *testing.T, f func(on func(bool), clients map[string]*testClient)) {
	synctest.Test(t, func(t *testing.T) {
		const mark = 1000
		var free atomic.Uint64
		free.Store(2 * mark)
		p := newPair(t, func(o *Options) {
			if o.Node == "a" {
				o.Disk = func() (uint64, uint64, error) { return free.Load(), mark, nil }
			}
		})
		f(func(on bool) {
			free.Store(map[bool]uint64{false: 2 * mark}[on])
			awaitSample()
		}, map[string]*testClient{"near": attached(t, p.a, 1), "far": attached(t, p.b, 2)})
	})
}

// TestCommitUnderAlarm: at the leader's node and from elsewhere, a commit passes
// an alarm if what it stores weighs no more than what it acks.
func TestCommitUnderAlarm(t *testing.T) {
	small, large := "x", strings.Repeat("x", 4000)
	ack := []transport.Action{transport.ActionAck}
	for name, tc := range map[string]struct {
		in      []string
		actions []transport.Action // of each; the last of those beyond them, too
		out     []string
		want    transport.Code
	}{
		"handed on as it is":           {[]string{large}, ack, []string{large}, transport.CodeOK},
		"one byte more":                {[]string{large}, ack, []string{large + "x"}, transport.CodeBusy},
		"a small one, a little larger": {[]string{small}, ack, []string{strings.Repeat("x", 200)}, transport.CodeOK},
		"a small one, much larger":     {[]string{small}, ack, []string{strings.Repeat("x", 300)}, transport.CodeBusy},
		"small ones become more":       {[]string{small, small}, ack, []string{small, small, small}, transport.CodeBusy},
		"a large one is split":         {[]string{large}, ack, []string{small, small, small}, transport.CodeOK},
		"and into too many":            {[]string{large}, ack, make([]string, 16), transport.CodeBusy},
		"several become one":           {[]string{large, large}, ack, []string{large + large}, transport.CodeOK},
		"acked without anything":       {[]string{large}, ack, nil, transport.CodeOK},
		"extended":                     {[]string{large}, []transport.Action{transport.ActionExtend}, []string{small}, transport.CodeBusy},
		"nacked":                       {[]string{large}, []transport.Action{transport.ActionNack}, []string{small}, transport.CodeBusy},
		"rejected":                     {[]string{large}, []transport.Action{transport.ActionReject}, []string{small}, transport.CodeBusy},
		"a large one extended beside a small one acked": {[]string{small, large},
			[]transport.Action{transport.ActionAck, transport.ActionExtend}, []string{large}, transport.CodeBusy},
	} {
		t.Run(name, func(t *testing.T) {
			alarmed(t, func(on func(bool), clients map[string]*testClient) {
				for node, c := range clients {
					on(false)
					c.create(node)
					c.create(node + "-out")
					c.consume(node, 1)
					c.wantCode(c.publish(node, tc.in...), transport.CodeOK)
					var items []transport.SettleItem
					for i := range tc.in {
						it := settlesOf(tc.actions[min(i, len(tc.actions)-1)], c.delivery())[0]
						if it.Action == transport.ActionNack {
							it.Reason = transport.ReasonMessage
						}
						items = append(items, it)
					}
					on(true)
					commit := func(want transport.Code) transport.Result {
						m := transport.Commit{OpHeader: c.header(), Settles: items}
						if len(tc.out) > 0 {
							p := publishOf(transport.OpHeader{}, "", tc.out...)
							m.Publishes = []transport.CommitPublish{{Queue: node + "-out", Count: p.Count, Records: p.Records}}
						}
						return c.wantCode(c.send(transport.OpCommit, m), want)
					}
					if r := commit(tc.want); r.Code == transport.CodeBusy && (r.Cause != transport.CauseDisk || r.RetryAfterMs == 0) {
						t.Fatalf("%s: %+v", node, r)
					}
					if tc.want == transport.CodeBusy {
						on(false)
						commit(transport.CodeOK)
					}
				}
			})
		})
	}
}

// TestCommitOfALostLeaseUnderAlarm: it stores nothing, and has its verdict.
func TestCommitOfALostLeaseUnderAlarm(t *testing.T) {
	alarmed(t, func(on func(bool), clients map[string]*testClient) {
		for node, c := range clients {
			on(false)
			c.create(node)
			c.consume(node, 1)
			c.wantCode(c.publish(node, "x"), transport.CodeOK)
			d := []transport.Delivery{c.delivery()}
			c.wantCode(c.settle(transport.ActionAck, d...), transport.CodeOK)
			on(true)
			c.wantCode(c.commit(d, node, strings.Repeat("x", 4000)), transport.CodeLeaseLost)
		}
	})
}

// TestCommitOfASharedRecordUnderAlarm: what another subscription has as well is
// let go by the last ack of it.
func TestCommitOfASharedRecordUnderAlarm(t *testing.T) {
	large := strings.Repeat("x", 4000)
	alarmed(t, func(on func(bool), clients map[string]*testClient) {
		for node, c := range clients {
			on(false)
			c.wantCode(c.send(transport.OpTopicCreate, transport.TopicCreate{OpHeader: c.header(), Topic: node}), transport.CodeOK)
			c.create(node + "-out")
			for i, name := range []string{node + "-1", node + "-2"} {
				c.wantCode(c.send(transport.OpSubscribe, transport.Subscribe{OpHeader: c.header(), Topic: node, Filter: ">", Queue: name}), transport.CodeOK)
				c.consume(name, uint32(i+1))
			}
			c.wantCode(c.publish(node, large), transport.CodeOK)
			first, last := []transport.Delivery{c.delivery()}, []transport.Delivery{c.delivery()}
			on(true)
			c.wantCode(c.commit(first, node+"-out", large), transport.CodeBusy)
			c.wantCode(c.commit(first, node+"-out", "x"), transport.CodeOK)
			c.wantCode(c.commit(last, node+"-out", large), transport.CodeOK)
		}
	})
}

// TestWeightUnderAlarm: whatever is committed under an alarm, what waits weighs
// no more than before, and nothing is refused that keeps to that.
func TestWeightUnderAlarm(t *testing.T) {
	alarmed(t, func(on func(bool), clients map[string]*testClient) {
		for node, c := range clients {
			rng := rand.New(rand.NewPCG(1, uint64(len(node))))
			some := func(most int) (bodies []string) {
				for range 1 + rng.IntN(most) {
					bodies = append(bodies, strings.Repeat("x", rng.IntN(8)*rng.IntN(150)))
				}
				return bodies
			}
			weigh := func(records []byte, count uint32) (sum int) {
				_ = transport.EachRecord(records, count, func(r []byte) error { // ours
					sum += max(256, len(r))
					return nil
				})
				return sum
			}
			on(false)
			c.create(node)
			c.consume(node, 1)
			held := 0
			for range 30 {
				p := publishOf(c.header(), node, "x", strings.Repeat("x", 1000))
				c.wantCode(c.send(transport.OpPublish, p), transport.CodeOK)
				held += int(p.Count)
			}
			on(true)
			passed := map[bool]int{}
			var hand []transport.Delivery
			for range 300 {
				for ; held > 0 && len(hand) < 3; held-- {
					hand = append(hand, c.delivery())
				}
				n := min(len(hand), 1+rng.IntN(3))
				if n == 0 {
					break
				}
				out, freed := some(4), 0
				for _, d := range hand[:n] {
					freed += max(256, len(d.Record))
				}
				p := publishOf(transport.OpHeader{}, node, out...)
				passes := weigh(p.Records, p.Count) <= freed
				passed[passes]++
				if !passes {
					c.wantCode(c.commit(hand[:n], node, out...), transport.CodeBusy)
					continue
				}
				c.wantCode(c.commit(hand[:n], node, out...), transport.CodeOK)
				hand, held = hand[n:], held+len(out)
			}
			if passed[true] < 50 || passed[false] < 50 {
				t.Fatalf("%s: too few of one kind: %v", node, passed)
			}
		}
	})
}

// TestGrows: of forwarded commands, those need room that store more than they
// let go, as far as they say so themselves.
func TestGrows(t *testing.T) {
	record := publishOf(transport.OpHeader{}, "q", strings.Repeat("x", 10)).Records
	one := []fsm.CommitPublish{{Queue: "q", Count: 1, Records: record}}
	large := []fsm.CommitPublish{{Queue: "q", Count: 1, Records: publishOf(transport.OpHeader{}, "q", strings.Repeat("x", 300)).Records}}
	settles := func(actions ...fsm.Action) (all []fsm.SettleItem) {
		for i, a := range actions {
			all = append(all, fsm.SettleItem{Place: uint64(i + 1), Token: 1, Action: a})
		}
		return all
	}
	settle := settles(fsm.ActionAck)
	for _, tc := range []struct {
		command fsm.Command
		want    bool
	}{
		{&fsm.Publish{Queue: "q", Count: 1, Records: record}, true},
		{&fsm.Request{Queue: "q", Records: record}, true},
		{&fsm.Reply{Records: record}, false},
		{&fsm.Settle{Items: settle}, false},
		{&fsm.Commit{Publishes: one}, true},
		{&fsm.Commit{Settles: settle, Publishes: one}, false},
		{&fsm.Commit{Settles: settle, Publishes: large}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionAck, fsm.ActionAck), Publishes: large}, false},
		{&fsm.Commit{Settles: settle}, false},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionNack), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionReject), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionAck), Publishes: one}, false},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionAck), Publishes: append(one, one...)}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionNack)}, false},
	} {
		if _, got := grows(tc.command.Kind(), fsm.Append(nil, tc.command)); got != tc.want {
			t.Errorf("%#v: %v, want %v", tc.command, got, tc.want)
		}
	}
	if _, may := grows(fsm.KindCommit, []byte{0xc4, 1, byte(fsm.KindCommit)}); !may {
		t.Error("a commit that cannot be read is let through")
	}
}

// looks counts how often somebody sees a group's state.
type looks struct {
	*fakeGroup
	n atomic.Int32
}

func (g *looks) View(f func(*fsm.State)) {
	g.n.Add(1)
	g.fakeGroup.View(f)
}

// TestGrowingLooksOnce: however many commits another node forwards together, the
// link's reader waits for the state once.
func TestGrowingLooksOnce(t *testing.T) {
	g := &looks{fakeGroup: newLeading(t, "a")}
	b := startBroker(t, "a", g, nil)
	large := []fsm.CommitPublish{{Queue: "q", Count: 1, Records: publishOf(transport.OpHeader{}, "q", strings.Repeat("x", 300)).Records}}
	commit := &fsm.Commit{Settles: []fsm.SettleItem{{Place: 1, Token: 1, Action: fsm.ActionAck}}, Publishes: large}
	var s transport.PeerSubmit
	for range 5 {
		s.Commands = fsm.Append(s.Commands, commit)
	}
	s.Commands = fsm.Append(s.Commands, &fsm.Publish{Queue: "q", Count: 1, Records: large[0].Records})
	s.Count = 6
	if all := b.lanes[0].growing(&s); all != nil {
		t.Errorf("without an alarm: %v", all)
	}
	if err := b.Close(); err != nil { // whose goroutines look at the state, too, now and then
		t.Fatal(err)
	}
	b.diskLow.Store(true)
	before := g.n.Load()
	all, want := b.lanes[0].growing(&s), []bool{false, false, false, false, false, true} // no lease is there
	if !slices.Equal(all, want) || g.n.Load() != before+1 {
		t.Errorf("%v, after %d looks", all, g.n.Load()-before)
	}
}
