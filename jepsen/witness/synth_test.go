package witness

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// synth makes the history that an orderly cluster would leave: random clients
// write a log, and are told what it makes of their operations. Every operation
// is called before its entry and returns after it, by up to a few entries, so
// that many overlap.
type synth struct {
	r     *rand.Rand
	m     *model
	run   *history.Run
	index uint64
	lease int64

	clients []*synthClient
	seq     uint64
	told    int // grants that were delivered
}

type synthClient struct {
	session  string
	number   uint64
	consumer uint32 // of the history
	held     []history.Item
	keys     []history.Key // of held
}

const (
	synthStep    = 1_000_000 // nanoseconds from one entry to the next
	synthQueues  = 4
	synthOverlap = 4 // entries
)

// orderly makes a history with at least so many operations.
func orderly(seed uint64, operations int) *history.Run {
	s := &synth{r: rand.New(rand.NewPCG(seed, 2)), m: newModel(), run: &history.Run{Seed: seed}}
	s.entry(nil, nil) // Raft's own
	for i := range 6 {
		s.join(i)
	}
	for i := range synthQueues {
		s.administer(s.clients[0], history.Create, fmt.Sprintf("q%d", i))
	}
	for i, c := range s.clients {
		s.attach(c, fmt.Sprintf("q%d", i%synthQueues))
	}
	for len(s.run.Ops) < operations {
		s.step()
	}
	for range 2 {
		r := history.Replica{Node: fmt.Sprint(len(s.run.Replicas)), Applied: s.index}
		for _, q := range s.m.counts() {
			r.Queues = append(r.Queues, q)
		}
		s.run.Replicas = append(s.run.Replicas, r)
	}
	s.run.Ended = int64(s.index+10) * synthStep
	return s.run
}

// entry appends one, applies it, and lets consumers know.
func (s *synth) entry(commands []history.Command, then []func(judged)) {
	s.index++
	e := history.Entry{Index: s.index, Term: 1, Commands: commands}
	if commands != nil {
		s.lease += int64(s.r.IntN(3))
		e.LeaseMillis, e.WallMillis = s.lease, 1_700_000_000_000+s.lease
	}
	s.run.Log = append(s.run.Log, e)
	s.m.apply(&s.run.Log[len(s.run.Log)-1])
	for _, j := range s.m.judged {
		for i := range commands {
			if j.command == &s.run.Log[len(s.run.Log)-1].Commands[i] && then[i] != nil {
				then[i](j)
			}
		}
	}
	s.deliver()
}

func (s *synth) deliver() {
	for ; s.told+1 < len(s.m.grants); s.told++ {
		token := uint64(s.told + 1)
		g := &s.m.grants[token]
		for _, c := range s.clients {
			for _, msg := range s.heldBy(c) {
				if msg.token != token {
					continue
				}
				now := int64(s.index)*synthStep + int64(s.r.IntN(synthOverlap*synthStep))
				s.run.Ops = append(s.run.Ops, history.Op{Client: c.consumer, Kind: history.Deliver, Queue: g.queue.name,
					Key: g.key, ID: g.id, Consumer: c.consumer, Token: token, Attempt: int(g.attempt),
					Failures: int(g.failures), Redelivered: g.attempt > 1, Dead: g.dead, Call: now, Return: now,
					Outcome: history.OK})
				c.held = append(c.held, history.Item{Incarnation: g.queue.incarnation, Place: msg.place, Token: token})
				c.keys = append(c.keys, g.key)
			}
		}
	}
}

func (s *synth) heldBy(c *synthClient) []*message {
	if x := s.m.sessions[c.session]; x != nil && len(x.consumers) > 0 {
		return x.consumers[0].held
	}
	return nil
}

func (s *synth) join(i int) {
	c := &synthClient{session: fmt.Sprintf("%032x", i+1), consumer: uint32(i + 1)}
	s.clients = append(s.clients, c)
	s.entry([]history.Command{
		{Kind: "open", Session: c.session}, {Kind: "attach", Session: c.session, Epoch: 1, Node: "a"},
	}, make([]func(judged), 2))
}

func (s *synth) command(c *synthClient, kind, queue string) history.Command {
	c.number++
	return history.Command{Kind: kind, Session: c.session, Epoch: 1, Number: c.number, AnsweredThrough: c.number - 1, Queue: queue}
}

func (s *synth) attach(c *synthClient, queue string) {
	x := s.command(c, "consume", queue)
	x.Consumer, x.CreditMessages, x.LeaseMillis = 1, 16, 1000
	s.entry([]history.Command{x}, make([]func(judged), 1))
}

// op fills in times, and by chance that nobody was told.
func (s *synth) op(o history.Op, j judged, i int) {
	before, after := s.r.Int64N(synthOverlap*synthStep), s.r.Int64N(synthOverlap*synthStep)
	o.Call, o.Return = int64(s.index)*synthStep-before-1, int64(s.index)*synthStep+after
	if v := j.result.item(i); v.ok() {
		o.Outcome = history.OK
	} else {
		o.Outcome, o.Code, o.Cause = history.Fail, v.code, v.cause
	}
	if i < int(j.span) { // what is refused as one has one place
		o.At = history.Witness{Index: s.index, Position: j.base + uint32(i)}
	}
	if s.r.IntN(30) == 0 {
		o.Outcome, o.Code, o.Cause, o.At = history.Unknown, "", "", history.Witness{}
	}
	s.run.Ops = append(s.run.Ops, o)
}

func (s *synth) administer(c *synthClient, kind history.Kind, queue string) {
	x := s.command(c, "queue"+string(kind), queue)
	if kind == history.Pause || kind == history.Resume {
		x.Kind, x.Paused = "queuepause", kind == history.Pause
	}
	x.Settings = &history.Settings{MaxMessages: 200, FailureLimit: 3, DLQMessages: 5, Retry: retryImmediate}
	s.entry([]history.Command{x}, []func(judged){func(j judged) {
		o := history.Op{Client: c.consumer, Kind: kind, Queue: queue}
		if kind == history.Purge {
			o.Value = j.result.value
		}
		s.op(o, j, 0)
	}})
}

// step is one entry with publishes and settles of several clients.
func (s *synth) step() {
	if s.r.IntN(300) == 0 {
		kinds := []history.Kind{history.Delete, history.Create, history.Purge, history.Pause, history.Resume, history.Resume, history.Resume, history.Resume}
		kind, queue := kinds[s.r.IntN(len(kinds))], s.r.IntN(synthQueues+1)
		if kind == history.Delete || kind == history.Create {
			queue = synthQueues // that nobody consumes
		}
		s.administer(s.clients[0], kind, fmt.Sprintf("q%d", queue))
	}
	if s.r.IntN(25) == 0 {
		s.administer(s.clients[0], history.Purge, fmt.Sprintf("q%d.dlq", s.r.IntN(synthQueues)))
	}
	if s.r.IntN(50) == 0 {
		s.read(fmt.Sprintf("q%d", s.r.IntN(synthQueues+1)))
	}
	var commands []history.Command
	var then []func(judged)
	for range 1 + s.r.IntN(4) {
		c := s.clients[s.r.IntN(len(s.clients))]
		x, told := s.publish(c)
		if len(c.held) > 0 && s.r.IntN(5) > 1 {
			x, told = s.settle(c)
		}
		commands, then = append(commands, x), append(then, told)
	}
	s.entry(commands, then)
}

func (s *synth) publish(c *synthClient) (history.Command, func(judged)) {
	x := s.command(c, "publish", fmt.Sprintf("q%d", s.r.IntN(synthQueues+s.r.IntN(2))))
	var keys []history.Key
	for range 1 + s.r.IntN(3) {
		s.seq++
		key := history.Key{Producer: c.consumer, Seq: s.seq}
		keys = append(keys, key)
		x.Bodies, x.Sizes = append(x.Bodies, string(key.Body(10))), append(x.Sizes, 10)
	}
	return x, func(j judged) {
		for i, key := range keys {
			s.op(history.Op{Client: c.consumer, Kind: history.Publish, Queue: x.Queue, Key: key, Number: x.Number}, j, i)
		}
		if s.r.IntN(100) == 0 { // one that never got there
			s.seq++
			now := int64(s.index) * synthStep
			s.run.Ops = append(s.run.Ops, history.Op{Client: c.consumer, Kind: history.Publish, Queue: x.Queue,
				Key: history.Key{Producer: c.consumer, Seq: s.seq}, Call: now, Return: now + 1, Outcome: history.Unknown})
		}
	}
}

func (s *synth) settle(c *synthClient) (history.Command, func(judged)) {
	x := s.command(c, "settle", "")
	n := min(len(c.held), 1+s.r.IntN(3))
	x.Items = slices.Clone(c.held[:n])
	keys := slices.Clone(c.keys[:n])
	c.held, c.keys = c.held[n:], c.keys[n:]
	for i := range x.Items {
		x.Items[i].Action = []string{"ack", "ack", "ack", "ack", "ack", "nack", "reject", "extend"}[s.r.IntN(8)]
		switch x.Items[i].Action {
		case "nack":
			x.Items[i].Reason = "message"
		case "extend":
			if s.r.IntN(20) > 0 { // else it is forgotten, and its lease runs out
				c.held, c.keys = append(c.held, x.Items[i]), append(c.keys, keys[i])
			}
		}
	}
	return x, func(j judged) {
		for i, it := range x.Items {
			s.op(history.Op{Client: c.consumer, Consumer: c.consumer, Kind: history.Kind(it.Action), Key: keys[i],
				Queue: s.m.grants[it.Token].queue.name, Token: it.Token, Number: x.Number}, j, i)
		}
	}
}

func (s *synth) read(queue string) {
	now := int64(s.index) * synthStep
	o := history.Op{Kind: history.Read, Queue: queue, Call: now + 1, Return: now + 1 + s.r.Int64N(synthStep), Outcome: history.Fail, Code: codeNotFound}
	if q := s.m.names[queue]; q != nil {
		counts := q.counts()
		o.Outcome, o.Code, o.Counts = history.OK, "", &counts
	}
	s.run.Ops = append(s.run.Ops, o)
}
