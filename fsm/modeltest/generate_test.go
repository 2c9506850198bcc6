package modeltest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport/wire"
)

func pick(t *rapid.T, low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }

// percent is spread evenly. Rapid's own integers and samples favour small
// values, which is right for sizes and wrong for chances, so it is made of bits.
func percent(t *rapid.T, what string) int { return hundred.Draw(t, what) }

var hundred = rapid.Custom(func(t *rapid.T) int {
	n := 0
	for range 8 {
		n <<= 1
		if coin.Draw(t, "bit") {
			n++
		}
	}
	return n * 100 >> 8
})

var coin = rapid.Bool()

func choose[T any](t *rapid.T, what string, all ...T) T { return all[percent(t, what)*len(all)/100] }

// generator makes commands that are likely to mean something to the model's
// present state, and some that are not.
type generator struct {
	m      *Model
	unique uint64
	next   map[fsm.SessionID]uint64 // number for the next operation in this entry
	stale  []fsm.SettleItem         // deliveries that once were, newest last
}

// staleMax bounds the deliveries that are remembered.
const staleMax = 64

// weights of the kinds, in percent.
var weights = []struct {
	percent int
	make    func(*generator, *rapid.T) Command
}{
	{20, (*generator).publish},
	{22, (*generator).settle},
	{9, (*generator).consume},
	{8, (*generator).attach},
	{6, (*generator).create},
	{4, (*generator).open},
	{3, (*generator).credit},
	{4, (*generator).cancel},
	{3, (*generator).update},
	{3, (*generator).remove},
	{2, (*generator).purge},
	{3, (*generator).pause},
	{2, (*generator).detach},
	{2, (*generator).end},
	{2, func(*generator, *rapid.T) Command { return Command{Command: &fsm.Leader{Node: nodes[0]}} }},
	{2, func(g *generator, t *rapid.T) Command {
		return Command{Command: &fsm.DetachNode{Node: choose(t, "node", nodes...)}}
	}},
	{2, func(_ *generator, t *rapid.T) Command {
		return Command{Command: &fsm.SetVersion{Version: fsm.Version(pick(t, 0, int(fsm.VersionCurrent), "version"))}}
	}},
	{2, func(*generator, *rapid.T) Command { return Command{Command: &fsm.Checkpoint{}} }},
}

func (g *generator) command(t *rapid.T) Command {
	if c := g.mend(t); c.Command != nil {
		return c
	}
	rest := percent(t, "kind")
	for _, w := range weights {
		if rest -= w.percent; rest < 0 {
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
	names  = []string{"q0", "q1", "q2", "q0", "q1", "q2", "q0.dlq", "q1.dlq", "q2.dlq", "nowhere"}
	wrong  = []string{"", "$system", "x.dlq", "a b", "ä", fmt.Sprintf("%0197d", 0)}
)

func sessionID(i int) fsm.SessionID   { return fsm.SessionID{0xfe, byte(i)} }
func secret(i int) (h fsm.SecretHash) { h[0] = byte(i); return h }

func (g *generator) queue(t *rapid.T) string { return choose(t, "queue", names...) }

// session picks a client, and makes the header of its next operation.
func (g *generator) header(t *rapid.T) fsm.OpHeader {
	id := sessionID(pick(t, 0, 3, "session"))
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

func (g *generator) publish(t *rapid.T) Command {
	g.unique++
	x := &fsm.Publish{OpHeader: g.header(t), Queue: g.queue(t)}
	c := Command{Command: x, Drafts: drafts(t, g.unique)}
	for _, d := range c.Drafts {
		x.Records = append(wire.AppendBytesLen(x.Records, len(d.Record)), d.Record...)
	}
	x.Count = uint32(len(c.Drafts))
	if c.Broken = percent(t, "broken") < 1; c.Broken {
		x.Count++
	}
	return c
}

func (g *generator) settle(t *rapid.T) Command {
	x := &fsm.Settle{OpHeader: g.header(t)}
	n := pick(t, 1, 4, "settles")
	switch percent(t, "many") {
	case 0, 1:
		n = fsm.MaxItems
	case 2:
		n = fsm.MaxItems + 1
	case 3:
		n = 0
	}
	if n >= fsm.MaxItems {
		x.Items = make([]fsm.SettleItem, n) // all of them wrong
		return Command{Command: x}
	}
	for range n {
		x.Items = append(x.Items, g.item(t, g.m.sessions[x.Session]))
	}
	return Command{Command: x}
}

// item settles, mostly, something that the session holds.
func (g *generator) item(t *rapid.T, s *session) fsm.SettleItem {
	it := fsm.SettleItem{
		Action: choose(t, "action", fsm.ActionAck, fsm.ActionAck, fsm.ActionNack, fsm.ActionReject, fsm.ActionExtend),
		Reason: choose(t, "reason", fsm.ReasonMessage, fsm.ReasonMessage, fsm.ReasonDownstream, fsm.ReasonShutdown),
		Error:  choose(t, "error", "", "no", fmt.Sprintf("%01100d", 0)),
	}
	switch chance := percent(t, "delivery"); {
	case chance < 80:
		g.name(t, &it, g.held(s))
	case chance < 90:
		g.name(t, &it, g.held(nil))
	case chance < 96 && len(g.stale) > 0:
		old := choose(t, "stale", g.stale...)
		it.Incarnation, it.Place, it.Token = old.Incarnation, old.Place, old.Token
	default:
		it.Incarnation, it.Place, it.Token = uint64(pick(t, 0, 9, "incarnation")), uint64(pick(t, 0, 9, "place")), uint64(pick(t, 0, 9, "token"))
	}
	switch percent(t, "fault") {
	case 0:
		it.Action = choose(t, "action", 0, fsm.ActionExtend+1)
	case 1:
		it.Reason = choose(t, "reason", 0, fsm.ReasonShutdown+1)
	case 2:
		it.DelayMillis = fsm.MaxRetryMillis + 1
	}
	return it
}

// name lets an item name one of the messages.
func (g *generator) name(t *rapid.T, it *fsm.SettleItem, all []*message) {
	if len(all) == 0 {
		return
	}
	msg := choose(t, "held", all...)
	it.Incarnation, it.Place, it.Token = msg.holder.queue.incarnation, msg.place, msg.token
	g.stale = append(g.stale, *it)
	g.stale = g.stale[max(0, len(g.stale)-staleMax):]
}

// held lists what a session holds; nil: all of them.
func (g *generator) held(s *session) (all []*message) {
	sessions := []*session{s}
	if s == nil {
		sessions = g.m.sessionList()
	}
	for _, s := range sessions {
		for _, c := range s.consumerList() {
			all = append(all, c.held...)
		}
	}
	return all
}

func (g *generator) consume(t *rapid.T) Command {
	h := g.header(t)
	if s := g.m.sessions[h.Session]; s != nil && len(s.consumers) > 0 && percent(t, "again") < 15 {
		again := choose(t, "consumer", s.consumerList()...).asked
		again.OpHeader = h
		return Command{Command: &again}
	}
	return Command{Command: &fsm.Consume{
		OpHeader: h, Consumer: uint32(pick(t, 1, 4, "consumer")), Queue: g.queue(t),
		CreditMessages: uint32(choose(t, "credit", 0, 1, 2, 3, 5, 8, 5000)),
		CreditBytes:    uint32(choose(t, "bytes", 0, 0, 20, 60, 100)),
		Concurrency:    uint32(choose(t, "concurrency", 0, 1, 2, 3)),
		NoAck:          percent(t, "noack") < 25,
		LeaseMillis:    uint32(choose(t, "lease", 0, 0, 1000, 5000, 60000, 999)),
	}}
}

func (g *generator) cancel(t *rapid.T) Command {
	return Command{Command: &fsm.Cancel{OpHeader: g.header(t), Consumer: uint32(pick(t, 1, 4, "consumer")), Return: percent(t, "return") < 50}}
}

func (g *generator) credit(t *rapid.T) Command {
	h := g.header(t)
	x := &fsm.Credit{Session: h.Session, Epoch: h.Epoch, Consumer: uint32(pick(t, 1, 4, "consumer"))}
	if s := g.m.sessions[h.Session]; s != nil {
		for _, c := range s.consumerList() {
			if c.asked.NoAck {
				x.Consumer, x.Through = c.number, uint64(pick(t, int(c.taken), int(c.assigned), "through"))
			}
		}
	}
	if percent(t, "too far") < 5 {
		x.Through += 1000
	}
	return Command{Command: x}
}

func (g *generator) settings(t *rapid.T) fsm.Settings {
	s := fsm.Settings{
		MaxMessages:  uint64(choose(t, "max messages", 0, 3, 10)),
		MaxBytes:     uint64(choose(t, "max bytes", 0, 0, 100)),
		FailureLimit: int32(choose(t, "failures", 0, 1, 2, -1)),
		LeaseMillis:  uint32(choose(t, "lease", 0, 1000, 2000)),
		DLQMessages:  uint64(choose(t, "dlq messages", 0, 1, 3)),
		DLQBytes:     uint64(choose(t, "dlq bytes", 0, 0, 60)),
		Retry:        fsm.RetryImmediate,
	}
	switch percent(t, "fault") {
	case 0, 1:
		s.Overflow = 9
	case 2, 3:
		s.FailureLimit = -2
	case 4, 5:
		s.LeaseMillis = fsm.MaxLeaseMillis + 1
	}
	return s
}

func (g *generator) create(t *rapid.T) Command {
	x := &fsm.QueueCreate{OpHeader: g.header(t), Queue: choose(t, "queue", queues...), Settings: g.settings(t)}
	if percent(t, "wrong") < 5 {
		x.Queue = choose(t, "name", wrong...)
	}
	if q := g.m.queues[x.Queue]; q != nil && percent(t, "same") < 50 {
		x.Settings = q.settings
	}
	return Command{Command: x}
}

func (g *generator) update(t *rapid.T) Command {
	return Command{Command: &fsm.QueueUpdate{OpHeader: g.header(t), Queue: g.queue(t), Settings: g.settings(t)}}
}

func (g *generator) remove(t *rapid.T) Command {
	careful := percent(t, "careful")
	return Command{Command: &fsm.QueueDelete{OpHeader: g.header(t), Queue: g.queue(t), IfEmpty: careful < 60, IfUnused: careful > 30}}
}

func (g *generator) purge(t *rapid.T) Command {
	return Command{Command: &fsm.QueuePurge{OpHeader: g.header(t), Queue: g.queue(t)}}
}

func (g *generator) pause(t *rapid.T) Command {
	return Command{Command: &fsm.QueuePause{OpHeader: g.header(t), Queue: g.queue(t), Paused: percent(t, "pause") < 30}}
}

func (g *generator) open(t *rapid.T) Command {
	return g.openOf(t, pick(t, 0, 3, "session"))
}

func (g *generator) openOf(t *rapid.T, i int) Command {
	x := &fsm.Open{Session: sessionID(i), Secret: secret(i), Principal: "p",
		IdleExpiryMillis: uint32(choose(t, "idle", 0, 0, 0, 40_000, 10_000, 999))}
	if percent(t, "stranger") < 5 {
		x.Secret[1] = 1
	}
	return Command{Command: x}
}

func (g *generator) attach(t *rapid.T) Command {
	return g.attachOf(t, pick(t, 0, 3, "session"))
}

func (g *generator) attachOf(t *rapid.T, i int) Command {
	x := &fsm.Attach{Session: sessionID(i), Secret: secret(i), Epoch: 1, Node: choose(t, "node", nodes...)}
	if s := g.m.sessions[x.Session]; s != nil {
		x.Epoch = max(1, s.epoch)
		for _, msg := range g.held(s) {
			if percent(t, "knows") < 60 {
				x.Tokens = append(x.Tokens, msg.token)
			}
		}
		slices.Sort(x.Tokens)
	}
	switch chance := percent(t, "epoch"); {
	case chance < 25:
		x.Epoch++
	case chance < 28:
		x.Epoch--
	case chance < 30:
		x.Secret[1] = 1
	case chance < 31:
		x.Node = ""
	case chance < 32:
		x.Tokens = []uint64{2, 1}
	}
	return Command{Command: x}
}

func (g *generator) detach(t *rapid.T) Command {
	h := g.header(t)
	x := &fsm.Detach{Session: h.Session, Epoch: h.Epoch, Node: choose(t, "node", nodes...),
		Cause: choose(t, "cause", fsm.DetachConnection, fsm.DetachNodeLost)}
	if s := g.m.sessions[h.Session]; s != nil && s.attached() && percent(t, "right") < 70 {
		x.Node = s.node
	}
	return Command{Command: x}
}

func (g *generator) end(t *rapid.T) Command {
	h := g.header(t)
	return Command{Command: &fsm.End{Session: h.Session, Epoch: h.Epoch}}
}
