package modeltest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func pick(t *rapid.T, low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }

// percent is spread evenly. Rapid's own integers and samples favour small
// values, which is right for sizes and wrong for chances, so it is made of bits.
func percent(t *rapid.T, what string) int { return bits(t, what, 8) * 100 >> 8 }

func bits(t *rapid.T, what string, n int) int {
	if n == 10 {
		return tenBits.Draw(t, what)
	}
	return eightBits.Draw(t, what)
}

var (
	eightBits = coins(8)
	tenBits   = coins(10)
)

func coins(n int) *rapid.Generator[int] {
	coin := rapid.Bool()
	return rapid.Custom(func(t *rapid.T) int {
		value := 0
		for range n {
			value <<= 1
			if coin.Draw(t, "bit") {
				value++
			}
		}
		return value
	})
}

func choose[T any](t *rapid.T, what string, all ...T) T { return all[percent(t, what)*len(all)/100] }

// generator makes commands that are likely to mean something to the model's
// present state, and some that are not.
type generator struct {
	m      *Model
	unique uint64
	next   map[fsm.SessionID]uint64 // number for the next operation in this entry
	stale  []fsm.SettleItem         // deliveries that once were, newest last

	group     string // of all that is published, if it is not empty
	reordered bool   // this entry has changed how groups are handed out
}

// staleMax bounds the deliveries that are remembered.
const staleMax = 64

// weights of the kinds, relative to each other.
var weights = []struct {
	weight int
	make   func(*generator, *rapid.T) Command
}{
	{170, (*generator).publish},
	{190, (*generator).settle},
	{70, (*generator).consume},
	{60, (*generator).attach},
	{40, (*generator).create},
	{25, (*generator).open},
	{24, (*generator).credit},
	{30, (*generator).cancel},
	{30, (*generator).update},
	{24, (*generator).remove},
	{18, (*generator).purge},
	{24, (*generator).pause},
	{18, (*generator).detach},
	{18, (*generator).end},
	{18, func(*generator, *rapid.T) Command { return Command{Command: &fsm.Leader{Node: nodes[0]}} }},
	{18, func(g *generator, t *rapid.T) Command {
		return Command{Command: &fsm.DetachNode{Node: choose(t, "node", nodes...)}}
	}},
	{18, func(_ *generator, t *rapid.T) Command {
		return Command{Command: &fsm.SetVersion{Version: fsm.Version(pick(t, 0, int(fsm.VersionCurrent), "version"))}}
	}},
	{18, func(*generator, *rapid.T) Command { return Command{Command: &fsm.Checkpoint{}} }},
	{50, (*generator).commit},
	{60, (*generator).amend},
	{24, (*generator).breaker},
	{20, (*generator).resume},
	{20, (*generator).weight},
	{20, (*generator).topicCreate},
	{18, (*generator).topicDelete},
	{40, (*generator).subscribe},
	{50, (*generator).request},
	{40, (*generator).reply},
	{24, (*generator).await},
}

func (g *generator) command(t *rapid.T) Command {
	if c := g.mend(t); c.Command != nil {
		return c
	}
	if c := g.carryOn(t); c.Command != nil {
		return c
	}
	if g.reordered && percent(t, "reorder") < 40 {
		return g.update(t)
	}
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	rest := bits(t, "kind", 10) * total >> 10
	for _, w := range weights {
		if rest -= w.weight; rest < 0 {
			return w.make(g, t)
		}
	}
	return g.publish(t)
}

// mend often opens or attaches a session that is not, and makes a queue that is
// not: most commands do something only where these are.
func (g *generator) mend(t *rapid.T) Command {
	i := pick(t, 0, 3, "mended")
	switch s := g.m.sessions[sessionID(i)]; {
	case s == nil && percent(t, "mend") < 40:
		return g.openOf(t, i)
	case s != nil && !s.attached() && percent(t, "mend") < 25:
		return g.attachOf(t, i)
	case len(g.m.queues) < 2*len(queues) && percent(t, "mend") < 10:
		return g.create(t)
	}
	return Command{}
}

var (
	nodes  = []string{"n1", "n2", "n3"}
	queues = []string{"q0", "q1", "q2"}
	topics = []string{"t0", "t1"}
	names  = []string{"q0", "q1", "q2", "q0", "q1", "q2", "q0.dlq", "q1.dlq", "q2.dlq", "nowhere", "s0", "s1", "s0", "s1.dlq"}
	wrong  = []string{"", "$system", "x.dlq", "a b", "ä", fmt.Sprintf("%0197d", 0)}
)

func sessionID(i int) fsm.SessionID   { return fsm.SessionID{0xfe, byte(i)} }
func secret(i int) (h fsm.SecretHash) { h[0] = byte(i); return h }

// destination of a publish: a queue, or a topic.
func (g *generator) destination(t *rapid.T) string {
	if percent(t, "topic") < 30 {
		return choose(t, "topic", topics...)
	}
	return g.queue(t)
}

func (g *generator) queue(t *rapid.T) string { return choose(t, "queue", names...) }

// header picks a client, and makes the header of its next operation.
func (g *generator) header(t *rapid.T) fsm.OpHeader {
	return g.headerOf(t, sessionID(pick(t, 0, 3, "session")))
}

func (g *generator) headerOf(t *rapid.T, id fsm.SessionID) fsm.OpHeader {
	h := fsm.OpHeader{Session: id, Epoch: 1, Number: 1}
	s := g.m.sessions[id]
	if s == nil {
		return h
	}
	h.Epoch, h.Number = s.epoch, max(s.judged+1, g.next[id])
	switch chance := percent(t, "number"); {
	case chance < 2:
		h.Epoch += uint64(choose(t, "epoch", 1, ^0))
	case chance < 10:
		h.Number -= min(h.Number, uint64(pick(t, 1, 6, "back")))
	case chance < 13:
		h.Number += uint64(pick(t, 1, 3, "ahead"))
	case chance < 14:
		h.Number = s.answered + fsm.WindowOperations + uint64(pick(t, 0, 2, "window"))
	}
	switch chance := percent(t, "answered"); {
	case chance < 30:
		h.AnsweredThrough = s.judged
	case chance < 60:
		h.AnsweredThrough = s.judged - min(s.judged, uint64(pick(t, 0, 8, "unanswered")))
	case chance < 61:
		h.AnsweredThrough = h.Number
	}
	if percent(t, "ordered") < 15 {
		h.Ordered, h.Predecessor = true, s.ordered
		if percent(t, "predecessor") < 25 {
			h.Predecessor++
		}
	}
	g.next[id] = max(g.next[id], h.Number+1)
	return h
}
