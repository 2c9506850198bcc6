package logdump

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/witness"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// TestWitnessAgreesWithTheStateMachine: the suite's model of a queue and the
// state machine are written by different hands. Here both get the same random
// log, and whatever the one answers and gives out the other has to find right.
func TestWitnessAgreesWithTheStateMachine(t *testing.T) {
	seen := map[string]int64{}
	for seed := uint64(1); seed <= 12; seed++ {
		w := newWorld(t, seed)
		for range 1200 {
			w.step()
		}
		v := w.judge()
		require.Equal(t, check.Valid, v.Result, "seed %d: %s", seed, v)
		for _, o := range w.run.Ops {
			seen[string(o.Kind)+" "+o.Outcome.String()+" "+o.Code+" "+o.Cause+o.Dead]++
			if o.Counts != nil && o.Counts.Parked > 0 {
				seen["parked"]++
			}
		}
	}
	// The log led everywhere, or the agreement says little.
	for _, what := range []string{
		"publish ok  ", "publish fail busy messages", "publish fail busy bytes", "publish fail not_found ",
		"publish fail out_of_order ", "publish fail too_large ", "publish fail invalid ",
		"ack ok  ", "nack ok  ", "reject ok  ", "extend ok  ", "ack fail lease_lost expired", "ack fail lease_lost settled",
		"ack fail lease_lost session_ended", "ack fail lease_lost not_holder", "ack fail lease_lost queue_gone",
		"ack fail lease_lost unknown_token", "deliver ok  ", "deliver ok  failures", "deliver ok  rejected",
		"create ok  ", "create fail conflict ", "create fail invalid ", "update ok  ", "update fail not_found ",
		"delete ok  ", "delete fail in_use ", "purge ok  ", "pause ok  ", "resume ok  ", "read ok  ", "read fail not_found ", "parked",
	} {
		require.Positive(t, seen[what], "%q among %v", what, seen)
	}
	require.Greater(t, seen["deliver ok  "], int64(1500))
}

// TestWitnessNoticesOtherRules: a log that is judged by other clocks, or of
// which something is missing, is not the one that was answered from.
func TestWitnessNoticesOtherRules(t *testing.T) {
	for name, spoil := range map[string]func(*history.Run){
		"leases that never run out": func(r *history.Run) {
			for i := range r.Log {
				r.Log[i].LeaseMillis = min(r.Log[i].LeaseMillis, 1000)
			}
		},
		"a leader that detaches nobody": func(r *history.Run) {
			for i := range r.Log {
				for k := range r.Log[i].Commands {
					if r.Log[i].Commands[k].Kind == "leader" {
						r.Log[i].Commands[k].Kind = "checkpoint"
					}
				}
			}
		},
		"an entry without effect": func(r *history.Run) { r.Log[len(r.Log)/2].Void = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 7)
			for range 1200 {
				w.step()
			}
			spoil(w.run)
			require.Equal(t, check.Invalid, w.judge().Result)
		})
	}
}

// TestWitnessNoticesWaits: the model knows no queue that waits before it tries
// again. It says so when the log does, and else finds the machine's answers wrong.
func TestWitnessNoticesWaits(t *testing.T) {
	w := newWorld(t, 7)
	w.retry = fsm.RetryFixed
	for range 1200 {
		w.step()
	}
	v := w.judge()
	require.NotEqual(t, check.Valid, v.Result)
	require.Contains(t, v.String(), "what the model does not know: settings")
	for i := range w.run.Log {
		for k := range w.run.Log[i].Commands {
			if s := w.run.Log[i].Commands[k].Settings; s != nil {
				s.Retry = "immediate"
			}
		}
	}
	v = w.judge()
	require.Equal(t, check.Invalid, v.Result)
	require.Positive(t, v.Found[witness.KindDelivery]+v.Found[witness.KindRead], v)
}

// client of the random world: what one session knows.
type client struct {
	id        fsm.SessionID
	epoch     uint64
	number    uint64
	answered  uint64
	ordered   uint64 // last accepted ordered operation
	held      []fsm.SettleItem
	consumers uint32
	last      fsm.Command
	credit    map[uint32]uint64
}

// world applies random commands and writes down what came of them.
type world struct {
	t       *testing.T
	r       *rand.Rand
	s       *fsm.State
	run     *history.Run
	clients []*client
	at      fsm.Clock
	seq     uint64
	keys    map[fsm.ID]history.Key
	handed  map[string]uint32
	retry   fsm.Retry // of all queues
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 1)), s: fsm.New(0), run: &history.Run{Seed: seed},
		at: fsm.Clock{WallMillis: 1_700_000_000_000}, keys: map[fsm.ID]history.Key{}, handed: map[string]uint32{}, retry: fsm.RetryImmediate}
	for range 5 {
		w.clients = append(w.clients, w.newClient())
	}
	return w
}

func (w *world) newClient() *client {
	c := &client{credit: map[uint32]uint64{}}
	binary.BigEndian.PutUint64(c.id[:], w.r.Uint64())
	return c
}

// step is one entry of the log.
func (w *world) step() {
	advance := int64(w.r.IntN(300))
	if w.r.IntN(40) == 0 {
		advance = int64(w.r.IntN(35_000))
	}
	w.at.WallMillis += advance
	w.at.LeaseMillis += advance
	var commands []fsm.Command
	var asked []func(fsm.Result)
	for range w.r.IntN(4) {
		c, then := w.draw()
		commands, asked = append(commands, c), append(asked, then)
	}
	b := fsm.AppendEntryHeader(nil, fsm.VersionCurrent, w.at, len(commands))
	for _, c := range commands {
		b = fsm.Append(b, c)
	}
	index := w.s.Index() + 1
	log := &raft.Log{Index: index, Term: 1, Type: raft.LogCommand, Data: b}
	e, err := Entry(log)
	require.NoError(w.t, err)
	w.run.Log = append(w.run.Log, e)
	a, err := w.s.Apply(index, b)
	require.NoError(w.t, err)
	for i, r := range a.Results {
		if asked[i] != nil {
			asked[i](r)
		}
	}
	w.deliver(a.Effects)
	if w.r.IntN(4) == 0 {
		w.read(w.queue())
	}
}

func (w *world) deliver(effects []fsm.Effect) {
	for _, e := range effects {
		if e.Kind != fsm.EffectDeliver {
			continue
		}
		who := fmt.Sprintf("%x %d", e.Session, e.Consumer)
		if w.handed[who] == 0 {
			w.handed[who] = uint32(len(w.handed) + 1)
		}
		queue := w.queueOf(e.Incarnation)
		if queue == "" {
			continue
		}
		o := history.Op{Kind: history.Deliver, Queue: queue, Key: w.keys[e.ID], ID: at(e.ID.Index, e.ID.Position),
			Consumer: w.handed[who], Token: e.Token, Attempt: int(e.Attempt), Failures: int(e.Failures),
			Redelivered: e.Attempt > 1, Outcome: history.OK}
		if e.Death != nil {
			o.Dead = e.Death.Reason
		}
		w.record(o)
		for _, c := range w.clients {
			switch {
			case c.id != e.Session:
			case e.Token == 0:
				c.credit[e.Consumer] = e.Number
			default:
				c.held = append(c.held, fsm.SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token})
			}
		}
	}
}

// queueOf is "" for a queue that the entry that handed its message out deleted.
func (w *world) queueOf(incarnation uint64) string {
	all, _ := w.s.Queues("", "", 1000)
	for _, q := range all {
		if q.Incarnation == incarnation {
			return q.Name
		}
	}
	return ""
}

func (w *world) record(o history.Op) {
	now := int64(w.s.Index()) * 1000
	o.Call, o.Return = now, now+1
	w.run.Ops = append(w.run.Ops, o)
}

func (w *world) read(name string) {
	o := history.Op{Kind: history.Read, Queue: name, Outcome: history.Fail, Code: "not_found"}
	if q, ok := w.s.Queue(name); ok {
		counts := countsOf(q)
		o.Outcome, o.Code, o.Counts = history.OK, "", &counts
	}
	now := int64(w.s.Index())*1000 + 2
	o.Call, o.Return = now, now+1
	w.run.Ops = append(w.run.Ops, o)
}

func countsOf(q fsm.QueueInfo) history.Queue {
	return history.Queue{Name: q.Name, Incarnation: q.Incarnation, Ready: q.Ready, Leased: q.Leased,
		Scheduled: q.Scheduled, Retrying: q.Retrying, Parked: q.Parked,
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed, Duplicates: q.Duplicates}
}

// judge sends the log through its form on paper, and judges the run.
func (w *world) judge() check.Verdict {
	var paper bytes.Buffer
	lines := json.NewEncoder(&paper)
	for _, e := range w.run.Log {
		require.NoError(w.t, lines.Encode(e))
	}
	log, err := witness.ReadLog(&paper)
	require.NoError(w.t, err)
	w.run.Log = log
	replica := history.Replica{Node: "a", Applied: w.s.Index()}
	all, _ := w.s.Queues("", "", 1000)
	for _, q := range all {
		replica.Queues = append(replica.Queues, countsOf(q))
	}
	w.run.Replicas = []history.Replica{replica}
	return witness.Checker{Operations: 100, Indexes: 1200}.Check(w.run)
}

func at(index uint64, position uint32) history.Witness {
	return history.Witness{Index: index, Position: position}
}

// outcome of one message or settle.
func outcome(o *history.Op, r fsm.Result, i int) {
	v := fsm.Verdict{Code: r.Code, Cause: r.Cause}
	if len(r.Items) > 0 {
		v = r.Items[i]
	}
	o.Outcome = history.OK
	if v.Code != fsm.OK {
		o.Outcome, o.Code = history.Fail, transport.Code(v.Code).String()
	}
	if v.Cause != 0 {
		o.Cause = transport.Cause(v.Cause).String()
	}
}

func (w *world) queue() string { return fmt.Sprintf("q%d", w.r.IntN(3)) }

// any is a queue or its dead-letter queue.
func (w *world) any() string {
	if w.r.IntN(4) == 0 {
		return w.queue() + ".dlq"
	}
	return w.queue()
}

func (w *world) head(c *client) fsm.OpHeader {
	if c.number-c.answered > 5 {
		c.answered = c.number - uint64(w.r.IntN(4))
	}
	c.number++
	h := fsm.OpHeader{Session: c.id, Epoch: c.epoch, Number: c.number, AnsweredThrough: c.answered}
	if w.r.IntN(100) == 0 {
		h.Epoch += uint64(w.r.IntN(3)) // sometimes of another time
	}
	return h
}

// draw makes a random command, and says what is to become of its result.
func (w *world) draw() (fsm.Command, func(fsm.Result)) {
	c := w.clients[w.r.IntN(len(w.clients))]
	n := w.r.IntN(100)
	switch {
	case c.epoch == 0 || n < 6:
		return w.connect(c), nil
	case n < 8 && c.last != nil:
		return c.last, nil // sent again: it is answered from what is kept
	case n < 40:
		return w.publish(c)
	case n < 75:
		return w.settle(c)
	case n < 82:
		return w.consume(c), nil
	case n < 85:
		return w.leave(c), nil
	}
	return w.administer(c)
}

func (w *world) connect(c *client) fsm.Command {
	switch n := w.r.IntN(12); {
	case c.epoch == 0 && w.s.Index()%2 == 0:
		return &fsm.Open{Session: c.id, IdleExpiryMillis: uint32(w.r.IntN(3)) * 20_000}
	case n == 0:
		return &fsm.Leader{Node: "a"}
	case n == 1:
		return &fsm.DetachNode{Node: "b"}
	case n == 2:
		return &fsm.Detach{Session: c.id, Epoch: c.epoch, Node: "a", Cause: fsm.DetachConnection}
	case n == 3:
		return &fsm.Detach{Session: c.id, Epoch: c.epoch, Node: "b", Cause: fsm.DetachNodeLost}
	case n == 4:
		end := &fsm.End{Session: c.id, Epoch: c.epoch}
		fresh := w.newClient()
		fresh.held = c.held // whose tokens are not its own
		*c = *fresh
		return end
	}
	c.epoch++
	return &fsm.Attach{Session: c.id, Epoch: c.epoch, Node: string(rune('a' + w.r.IntN(2)))}
}

func (w *world) publish(c *client) (fsm.Command, func(fsm.Result)) {
	x := &fsm.Publish{OpHeader: w.head(c), Queue: w.any(), Count: uint32(1 + w.r.IntN(4))}
	if w.r.IntN(5) == 0 {
		x.Ordered, x.Predecessor = true, c.ordered
		if w.r.IntN(8) == 0 {
			x.Predecessor++
		}
	}
	huge := w.r.IntN(300) == 0
	var keys []history.Key
	for range x.Count {
		w.seq++
		key := history.Key{Producer: 1, Seq: w.seq}
		size := w.r.IntN(200)
		if huge {
			size = 600 << 10
		}
		b, err := record.Append(nil, &record.Message{Body: key.Body(size)})
		require.NoError(w.t, err)
		if w.r.IntN(40) == 0 {
			b, key = b[:10], history.Key{} // malformed: no key stands in it
		}
		keys = append(keys, key)
		x.Records = wire.AppendBytes(x.Records, b)
	}
	c.last = x
	return x, func(r fsm.Result) {
		if x.Ordered && len(r.Items) == 0 && r.Code == fsm.OK {
			c.ordered = x.Number
		}
		for i, key := range keys {
			o := history.Op{Kind: history.Publish, Queue: x.Queue, Key: key, Number: x.Number}
			if outcome(&o, r, i); r.Index != 0 {
				o.At = at(r.Index, r.Position+uint32(i))
			}
			if whole := r.Code == fsm.NotFound || r.Code == fsm.OutOfOrder || r.Code == fsm.TooLarge || r.Code == fsm.Invalid; whole {
				o.At = history.Witness{} // an operation refused as one has one place
				if i == 0 && r.Index != 0 {
					o.At = at(r.Index, r.Position)
				}
			}
			if key == (history.Key{}) {
				o.At = history.Witness{}
			}
			w.keys[fsm.ID{Index: r.Index, Position: r.Position + uint32(i)}] = key
			w.record(o)
		}
	}
}

func (w *world) settle(c *client) (fsm.Command, func(fsm.Result)) {
	x := &fsm.Settle{OpHeader: w.head(c), Items: []fsm.SettleItem{}}
	x.Ordered = w.r.IntN(20) == 0
	if x.Ordered {
		x.Predecessor = c.ordered
	}
	for range 1 + w.r.IntN(4) {
		it := fsm.SettleItem{Incarnation: uint64(w.r.IntN(9)), Place: uint64(w.r.IntN(20)), Token: uint64(w.r.IntN(40))}
		if len(c.held) > 0 && w.r.IntN(30) > 0 {
			i := w.r.IntN(len(c.held))
			it = c.held[i]
			if w.r.IntN(4) > 0 {
				c.held = append(c.held[:i], c.held[i+1:]...)
			}
		}
		it.Action = [...]fsm.Action{1, 1, 1, 1, 2, 2, 2, 3, 4}[w.r.IntN(9)]
		if it.Action == fsm.ActionNack {
			it.Reason = fsm.Reason(1 + w.r.IntN(4))
		}
		x.Items = append(x.Items, it)
	}
	c.last = x
	return x, func(r fsm.Result) {
		if x.Ordered && len(r.Items) == 0 && r.Code == fsm.OK {
			c.ordered = x.Number
		}
		for i, it := range x.Items {
			kind := [...]history.Kind{fsm.ActionAck: history.Ack, fsm.ActionNack: history.Nack,
				fsm.ActionReject: history.Reject, fsm.ActionExtend: history.Extend}[it.Action]
			o := history.Op{Kind: kind, Token: it.Token, Number: x.Number}
			outcome(&o, r, i)
			if r.Index == 0 || x.Ordered && r.Code != fsm.OK && i > 0 {
				continue // not judged, or refused as one: it has one place
			}
			o.At = at(r.Index, r.Position+uint32(i))
			w.record(o)
		}
	}
}

func (w *world) consume(c *client) fsm.Command {
	if c.consumers > 0 && w.r.IntN(3) == 0 {
		number := uint32(1 + w.r.IntN(int(c.consumers)))
		return &fsm.Credit{Session: c.id, Epoch: c.epoch, Consumer: number, Through: c.credit[number]}
	}
	c.consumers++
	return &fsm.Consume{OpHeader: w.head(c), Consumer: c.consumers, Queue: w.any(),
		CreditMessages: uint32(w.r.IntN(6)), CreditBytes: uint32(w.r.IntN(3)) * 150, Concurrency: uint32(w.r.IntN(3)),
		NoAck: w.r.IntN(5) == 0, LeaseMillis: uint32(w.r.IntN(2)) * 1500}
}

func (w *world) leave(c *client) fsm.Command {
	if c.consumers == 0 {
		return &fsm.Checkpoint{}
	}
	return &fsm.Cancel{OpHeader: w.head(c), Consumer: uint32(1 + w.r.IntN(int(c.consumers))), Return: w.r.IntN(2) == 0}
}

func (w *world) settings() fsm.Settings {
	t := fsm.Settings{FailureLimit: int32(w.r.IntN(4)) - 1, LeaseMillis: uint32(w.r.IntN(2)) * 1000, Retry: w.retry}
	switch w.r.IntN(3) {
	case 0:
		t.MaxMessages, t.DLQMessages = uint64(3+w.r.IntN(8)), uint64(w.r.IntN(4))
	case 1:
		t.MaxBytes, t.DLQBytes = uint64(300+w.r.IntN(900)), uint64(w.r.IntN(500))
	}
	return t
}

func (w *world) administer(c *client) (fsm.Command, func(fsm.Result)) {
	h, name := w.head(c), w.queue()
	o := history.Op{Queue: name, Number: h.Number}
	then := func(r fsm.Result) {
		if r.Index == 0 {
			return
		}
		outcome(&o, r, 0)
		o.At, o.Value = at(r.Index, r.Position), r.Value
		w.record(o)
	}
	switch n := w.r.IntN(20); {
	case n < 9:
		o.Kind = history.Create
		if n == 0 {
			name, o.Queue = "bad name", "bad name"
		}
		return &fsm.QueueCreate{OpHeader: h, Queue: name, Settings: w.settings()}, then
	case n < 12:
		o.Kind = history.Update
		return &fsm.QueueUpdate{OpHeader: h, Queue: name, Settings: w.settings()}, then
	case n < 13:
		o.Kind = history.Delete
		return &fsm.QueueDelete{OpHeader: h, Queue: name, IfEmpty: w.r.IntN(3) == 0, IfUnused: w.r.IntN(3) == 0}, then
	case n < 14:
		o.Kind = history.Purge
		name = w.any()
		o.Queue = name
		return &fsm.QueuePurge{OpHeader: h, Queue: name}, then
	case n < 15:
		o.Kind = history.Pause
		return &fsm.QueuePause{OpHeader: h, Queue: name, Paused: true}, then
	}
	o.Kind = history.Resume
	return &fsm.QueuePause{OpHeader: h, Queue: name}, then
}
