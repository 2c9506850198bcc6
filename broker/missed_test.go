package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// warnings collects the lines of a log that are about subscriptions.
type warnings struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// take returns the lines since the last time.
func (w *warnings) take() (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range strings.Lines(w.b.String()) {
		if _, said, ok := strings.Cut(line, " level=WARN msg="); ok && strings.Contains(said, "subscription") {
			lines = append(lines, strings.TrimSpace(said))
		}
	}
	w.b.Reset()
	return lines
}

// topicWith makes a topic with so many lossy subscriptions, s00 and on, each of
// which holds one message, which is leased.
func (c *testClient) topicWith(n int) {
	c.t.Helper()
	c.wantCode(c.send(transport.OpTopicCreate, transport.TopicCreate{OpHeader: c.header(), Topic: "t"}), transport.CodeOK)
	for i := range n {
		c.wantCode(c.send(transport.OpSubscribe, transport.Subscribe{OpHeader: c.header(), Topic: "t", Filter: ">",
			Queue: fmt.Sprintf("s%02d", i), Settings: transport.QueueSettings{MaxMessages: 1}}), transport.CodeOK)
		c.wantCode(c.send(transport.OpConsume, transport.Consume{OpHeader: c.header(), Consumer: uint32(i + 1),
			Queue: fmt.Sprintf("s%02d", i), CreditMessages: 1}), transport.CodeOK)
	}
	c.wantCode(c.publish("t", "taken"), transport.CodeOK)
}

// TestMissedMessages: what a lossy subscription misses is a warning of the
// leader, now and then, a metric and a reason.
func TestMissedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs := map[string]*warnings{"a": {}, "b": {}}
		p := newPair(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(logs[o.Node], nil)) })
		c := attached(t, p.b, 1)
		c.topicWith(2)
		awaitSample()
		if got := logs["a"].take(); got != nil {
			t.Fatalf("nothing was missed, %q", got)
		}
		if kinds, reply := c.explained("s00"); !slices.Equal(kinds, []string{transport.ExplainEmpty}) {
			t.Fatalf("%+v", reply)
		}

		const full = `"a subscription misses messages, see ferry explain" group=0 `
		const why = ` why="is full"`
		c.wantCode(c.publish("t", "1", "2", "3"), transport.CodeOK)
		awaitSample()
		want := []string{
			full + "subscription=s01 topic=t messages=3 total=3" + why, full + "subscription=s00 topic=t messages=3 total=3" + why,
		}
		if got := logs["a"].take(); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		kinds, reply := c.explained("s00")
		if !slices.Equal(kinds, []string{transport.ExplainEmpty, transport.ExplainMissed}) {
			t.Fatalf("%+v", reply)
		}
		if r := reply.Reasons[1]; r.Count != 3 || r.Name != "t" || !strings.Contains(r.Text, "misses more") {
			t.Fatalf("%+v", r)
		}

		// No more for a while, and then what came meanwhile.
		c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK) // s00 has room again
		c.wantCode(c.publish("t", "4"), transport.CodeOK)
		c.wantCode(c.publish("t", "5"), transport.CodeOK)
		awaitSample()
		if got := logs["a"].take(); got != nil {
			t.Fatalf("again, at once: %q", got)
		}
		time.Sleep(missedEvery)
		want = []string{
			full + "subscription=s01 topic=t messages=2 total=5" + why, full + "subscription=s00 topic=t messages=1 total=4" + why,
		}
		if got := logs["a"].take(); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		time.Sleep(2 * missedEvery)
		for node, w := range logs {
			if got := w.take(); got != nil {
				t.Fatalf("%s: %q", node, got)
			}
		}

		r := prometheus.NewPedanticRegistry()
		r.MustRegister(p.a.Collector())
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				name := f.GetName()
				for _, l := range m.GetLabel() {
					if l.GetName() == "queue" {
						name += " " + l.GetValue()
					}
				}
				got[name] += m.GetCounter().GetValue()
			}
		}
		if got["ferry_broker_missed_messages_total"] != 9 || got["ferry_broker_queue_missed_messages_total s00"] != 4 ||
			got["ferry_broker_queue_missed_messages_total s01"] != 5 {
			t.Fatalf("%v", got)
		}
	})
}

// TestMissedByMany: the warnings are few, however many subscriptions miss
// messages, and none is left out of their sum.
func TestMissedByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log warnings
		b := startBroker(t, "a", newLeading(t, "a"), nil, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		c := attached(t, b, 1)
		const n = 70 // more than the state tells apart
		c.topicWith(n)
		c.wantCode(c.publish("t", "1", "2"), transport.CodeOK)
		awaitSample()
		got := log.take()
		rest := fmt.Sprintf(`"other subscriptions miss messages" group=0 messages=%d`, 2*n-missedNamed)
		if len(got) != missedNamed+1 || got[missedNamed] != rest {
			t.Fatalf("%q, want %d lines, %q the last", got, missedNamed+1, rest)
		}
	})
}

// TestMissedAfterARestore: counts that began anew hide nothing.
func TestMissedAfterARestore(t *testing.T) {
	w := misses{total: 10, counts: map[uint64]uint64{1: 7, 2: 3}}
	fresh := w.take(2, []fsm.Misser{{Incarnation: 2, Missed: 2}})
	if len(fresh) != 1 || fresh[0].Missed != 2 || since(2, 10) != 2 {
		t.Fatalf("%+v", fresh)
	}
	if fresh = w.take(5, []fsm.Misser{{Incarnation: 1, Missed: 1}, {Incarnation: 2, Missed: 4}}); len(fresh) != 2 ||
		fresh[0].Missed != 2 || fresh[1].Missed != 1 {
		t.Fatalf("%+v", fresh)
	}
}

// standby is a group that another node leads at first.
type standby struct{ *fakeGroup }

func (standby) Leader() (transport.GroupInfo, bool) {
	return transport.GroupInfo{Leader: "a", Term: 1}, false
}

// TestMissedIsToldOnce: by whoever led when it was missed, also what was kept
// for the next warning when that leader is replaced, or stops; and not by who
// begins to lead then, or starts again with the same log.
func TestMissedIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		logs := map[string]*warnings{"a": {}, "b": {}, "again": {}}
		start := func(node string, g Group) *Broker {
			return startBroker(t, node, g, nil, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(logs[node], nil)) })
		}
		told := func(want map[string]int) {
			t.Helper()
			synctest.Wait()
			for node, w := range logs {
				lines, messages := w.take(), 0
				for _, line := range lines {
					if _, err := fmt.Sscanf(line[strings.Index(line, "messages="):], "messages=%d", &messages); err != nil {
						t.Fatal(err)
					}
				}
				if messages != want[node] || len(lines) > 1 {
					t.Fatalf("%s: %q, want %d messages", node, lines, want[node])
				}
			}
		}
		a, b := start("a", g), start("b", standby{g})
		c := attached(t, a, 1)
		c.topicWith(1)
		c.wantCode(c.publish("t", "1", "2"), transport.CodeOK)
		awaitSample()
		told(map[string]int{"a": 2})
		c.wantCode(c.publish("t", "3"), transport.CodeOK)
		awaitSample()
		told(nil)

		a.LeaderChanged(0, transport.GroupInfo{Term: 1}, false)
		awaitSample()
		told(map[string]int{"a": 1})
		info := g.elect("b", 2)
		b.LeaderChanged(0, info, true)
		a.LeaderChanged(0, info, false)
		c = attached(t, b, 2)
		c.wantCode(c.publish("t", "4"), transport.CodeOK) // before the first sample of the new leader
		awaitSample()
		told(map[string]int{"b": 1})
		time.Sleep(missedEvery) // less than the grace of who holds the message
		told(nil)
		c.wantCode(c.publish("t", "5"), transport.CodeOK)
		awaitSample()
		told(map[string]int{"b": 1})
		c.wantCode(c.publish("t", "6", "7"), transport.CodeOK)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		told(map[string]int{"b": 2})

		g.elect("again", 3)
		again := start("again", g) // its state counted all of them
		awaitSample()
		told(nil)
		c = attached(t, again, 3)
		c.wantCode(c.publish("t", "8"), transport.CodeOK)
		awaitSample()
		told(map[string]int{"again": 1})
	})
}
