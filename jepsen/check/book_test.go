package check

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

// book writes an orderly history, one event after the other, a millisecond
// apart, as a queue that keeps its promises would have it. Tests then break it.
type book struct {
	run     *history.Run
	queue   string
	now     int64
	index   uint64
	token   uint64
	seq     [3]uint64
	numbers map[uint32]uint64
	counts  map[string]*history.Queue
}

const (
	testQueue = "q"
	testLease = time.Second
)

var testNodes = []string{"n1", "n2", "n3"}

func newBook() *book {
	return &book{
		run:   &history.Run{Nodes: testNodes},
		queue: testQueue, numbers: map[uint32]uint64{}, counts: map[string]*history.Queue{},
	}
}

func (b *book) tick(d time.Duration) int64 {
	b.now += int64(d)
	return b.now
}

func (b *book) count(queue string) *history.Queue {
	if b.counts[queue] == nil {
		b.counts[queue] = &history.Queue{Name: queue, Incarnation: uint64(len(b.counts) + 1)}
	}
	return b.counts[queue]
}

// op adds an operation that takes a millisecond, with a place in the log and a
// number of its own, unless it certainly did nothing.
func (b *book) op(o history.Op) *history.Op {
	o.Workload, o.Call = "w", b.tick(time.Millisecond)
	if o.Queue == "" {
		o.Queue = b.queue
	}
	o.Return = b.tick(time.Millisecond)
	if o.Outcome == history.Pending {
		o.Outcome = history.OK
	}
	if o.Outcome == history.OK {
		b.index++
		b.numbers[o.Client]++
		o.At = history.Witness{Index: b.index}
		o.Number, o.Sends = b.numbers[o.Client], 1
	}
	b.run.Ops = append(b.run.Ops, o)
	return &b.run.Ops[len(b.run.Ops)-1]
}

// event adds what happens at one moment.
func (b *book) event(o history.Op) *history.Op {
	o.Workload, o.Outcome = "w", history.OK
	o.Call = b.tick(time.Millisecond)
	o.Return = o.Call
	b.run.Ops = append(b.run.Ops, o)
	return &b.run.Ops[len(b.run.Ops)-1]
}

// publish of producer 1 or 2, which is that client as well. The id is where an
// accepted one, or an unknown one that took effect, stands.
func (b *book) publish(producer uint32, outcome history.Outcome, stored bool) (k history.Key, id history.Witness) {
	b.seq[producer]++
	k = history.Key{Producer: producer, Seq: b.seq[producer]}
	o := b.op(history.Op{Client: producer, Kind: history.Publish, Key: k, Outcome: outcome})
	if outcome == history.OK {
		id = o.At
	} else if stored {
		b.index++
		id = history.Witness{Index: b.index}
	}
	if stored {
		b.count(b.queue).Published++
	}
	return k, id
}

// deliver hands a message to a consumer, which is of the client of its number.
func (b *book) deliver(consumer uint32, k history.Key, id history.Witness, attempt int) history.Op {
	b.token++
	return *b.event(history.Op{
		Client: consumer, Consumer: consumer, Kind: history.Deliver, Queue: b.queue, Key: k, ID: id, Token: b.token,
		Attempt: attempt, Redelivered: attempt > 1, Value: uint64(testLease.Milliseconds()),
	})
}

func (b *book) settle(kind history.Kind, d history.Op, outcome history.Outcome) *history.Op {
	q := b.count(d.Queue)
	if outcome == history.OK {
		switch kind {
		case history.Ack:
			q.Acked++
		case history.Reject:
			q.Dead++
		}
	}
	d.Kind, d.Outcome, d.Value = kind, outcome, 0
	if outcome == history.Pending {
		d.Outcome = history.OK
	}
	return b.op(d)
}

// die is the dead letter of a delivery, handed to consumer 5 and acked.
func (b *book) die(d history.Op, reason string) {
	b.queue += deadLetterSuffix
	b.count(b.queue).Published++
	dead := b.deliver(5, d.Key, d.ID, 1)
	dead.Dead = reason
	b.run.Ops[len(b.run.Ops)-1].Dead = reason
	b.settle(history.Ack, dead, history.OK)
	b.queue = testQueue
}

// live is the life of one message: which, depends on i.
func (b *book) live(i int) {
	producer, consumer := uint32(i%2+1), uint32(i/2%2+3)
	outcome, stored := history.OK, true
	switch i % 12 {
	case 4:
		outcome = history.Unknown
	case 5:
		outcome, stored = history.Unknown, false
	case 6:
		outcome, stored = history.Fail, false
	}
	k, id := b.publish(producer, outcome, stored)
	if !stored {
		return
	}
	d := b.deliver(consumer, k, id, 1)
	switch i % 12 {
	case 0: // handed back
		b.settle(history.Nack, d, history.OK)
		d = b.deliver(consumer, k, id, 2)
	case 1: // dead
		b.settle(history.Reject, d, history.OK)
		b.die(d, "rejected")
		return
	case 2: // its lease runs out: the holder's ack is refused
		b.tick(testLease)
		stale := d
		d = b.deliver(7-consumer, k, id, 2)
		b.settle(history.Ack, stale, history.Fail).Code = "lease_lost"
	case 3: // kept beyond its first lease
		b.tick(testLease / 2)
		b.settle(history.Extend, d, history.OK)
		b.tick(testLease * 3 / 4)
	}
	b.settle(history.Ack, d, history.OK)
}

// close ends the run: drained, with the same counts on every replica.
func (b *book) close() *history.Run {
	r := b.run
	r.Stopped, r.Drained, r.Ended = b.now+1, b.now+2, b.now+3
	for _, node := range testNodes {
		x := history.Replica{Node: node, Applied: b.index, Digest: "d"}
		names := []string{testQueue, testQueue + deadLetterSuffix}
		for _, name := range slices.Sorted(maps.Keys(b.counts)) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, name := range names {
			x.Queues = append(x.Queues, *b.count(name))
		}
		r.Replicas = append(r.Replicas, x)
	}
	return r
}

// orderly is a history of n messages of every kind.
func orderly(n int) *history.Run {
	b := newBook()
	for i := range n {
		b.live(i)
	}
	return b.close()
}

// find gives the n-th operation of a kind for which ok holds, from 0.
func find(t *testing.T, run *history.Run, n int, ok func(*history.Op) bool) *history.Op {
	t.Helper()
	for i := range run.Ops {
		if ok(&run.Ops[i]) {
			if n == 0 {
				return &run.Ops[i]
			}
			n--
		}
	}
	require.Fail(t, "no such operation")
	return nil
}

// kind tells operations of a kind with an outcome.
func kind(k history.Kind, outcome history.Outcome) func(*history.Op) bool {
	return func(o *history.Op) bool { return o.Kind == k && o.Outcome == outcome }
}

// drop takes the operations for which gone holds out of the history.
func drop(run *history.Run, gone func(*history.Op) bool) {
	kept := run.Ops[:0]
	for i := range run.Ops {
		if !gone(&run.Ops[i]) {
			kept = append(kept, run.Ops[i])
		}
	}
	run.Ops = kept
}

// on narrows down to the operations on a queue.
func on(queue string, ok func(*history.Op) bool) func(*history.Op) bool {
	return func(o *history.Op) bool { return o.Queue == queue && ok(o) }
}

// deadLetter tells the deliveries of dead letters.
func deadLetter(o *history.Op) bool { return o.Kind == history.Deliver && o.Dead != "" }

// attempts tells the deliveries of a message with some attempt.
func attempts(n int) func(*history.Op) bool {
	return func(o *history.Op) bool { return o.Kind == history.Deliver && o.Attempt == n && o.Dead == "" }
}

// planted is one error in a history, and the kind that has to be found.
type planted struct {
	name string
	kind string
	do   func(t *testing.T, run *history.Run)
}

// mustFind checks that a checker passes an orderly history, finds each planted
// error, and is not content with nothing.
func mustFind(t *testing.T, c Checker, good func() *history.Run, errors []planted) {
	t.Helper()
	require.Equal(t, Valid, c.Check(good()).Result, "%s", c.Check(good()))
	empty := c.Check(&history.Run{Drained: 1})
	require.Equal(t, Invalid, empty.Result)
	require.NotZero(t, empty.Found[KindVacuous], "%s", empty)
	for _, e := range errors {
		t.Run(e.kind+" "+e.name, func(t *testing.T) {
			run := good()
			e.do(t, run)
			v := c.Check(run)
			require.Equal(t, Invalid, v.Result)
			require.NotZero(t, v.Found[e.kind], "%s", v)
			require.NotEmpty(t, v.Problems)
			require.NotEmpty(t, v.Problems[0].Text)
		})
	}
}
