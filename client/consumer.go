package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// recentTokens is how many settled leases a consumer remembers, to drop
// repeats that were under way when they were settled.
const recentTokens = 1024

// Consumer receives the messages of one queue.
type Consumer struct {
	c       *Conn
	queue   string
	opts    consumeOptions
	handler Handler // nil for an iterator
	number  uint32  // set by the manager before it is used

	incarnation uint64 // of the queue, once attached; the manager's
	accepted    bool   // in this session; the manager's
	attachedNow bool   // as was told last; the manager's

	ctx     context.Context // parent of the deliveries' contexts
	cancel  context.CancelCauseFunc
	unwatch func() bool
	wake    chan struct{} // holds one: look at ready and state
	stopped chan struct{} // closed when stopping begins
	aborted chan struct{} // closed when its end can no longer wait for handlers
	drained chan struct{} // closed when no handler and no settle is under way
	done    chan struct{}
	workers sync.WaitGroup

	mu     sync.Mutex
	state  consumerState
	abort  bool
	err    error
	ready  []*Delivery // prefetched, oldest first
	held   map[placeKey]*Delivery
	recent map[uint64]struct{}
	ring   []uint64 // recent, as a ring
	oldest int

	taken     uint64 // without acks: the last assignment handed out
	seen      uint64 // the last received
	got       uint64 // without acks: how many were; not those that were lost with a link
	credited  uint64 // the last told to the node
	takenSize int    // bytes since
	listed    bool   // guarded by the outbox: its credit is to be sent
	drainOnce sync.Once
	idle      bool // its handlers have returned for good
	leaving   bool // an iterator's that was left with messages unsettled

	started chan<- *Error // the manager's: who waits for the first answer
}

type consumerState uint8

const (
	consuming consumerState = iota
	stopping                // no more is handed out, and the group is being told
	cancelled               // the group hands out nothing more
	ended                   // and never will
)

func newConsumer(ctx context.Context, c *Conn, queue string, h Handler, o consumeOptions) *Consumer {
	k := &Consumer{
		c: c, queue: queue, opts: o, handler: h,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), aborted: make(chan struct{}),
		drained: make(chan struct{}), done: make(chan struct{}),
		held: map[placeKey]*Delivery{}, recent: map[uint64]struct{}{},
	}
	k.ctx, k.cancel = context.WithCancelCause(ctx)
	return k
}

// offer takes a delivery from the manager, unless it is a repeat.
func (k *Consumer) offer(in *transport.Delivery, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == ended || k.repeated(in) {
		return
	}
	d := &Delivery{
		Queue: k.queue, ID: MessageID{in.Group, in.Index, in.Position},
		Attempt: int(in.Attempt), Failures: int(in.Failures), Token: in.Token,
		Redelivered: in.Attempt > 1, EnqueuedAt: time.UnixMilli(in.EnqueuedMs),
		k: k, key: placeKey{in.Incarnation, in.Place}, number: in.Number,
		lease: millis(in.LeaseMs), record: in.Record, IsRequest: in.Request,
	}
	d.Death = deathOf(in.Death)
	if !k.opts.noAck {
		d.until = now.Add(d.lease)
		d.LeaseUntil = d.until
		k.held[d.key] = d
	}
	k.ready = append(k.ready, d)
	if k.state == cancelled && !k.opts.noAck {
		k.handBack()
	}
	signal(k.wake)
}

// repeated tells whether the delivery was here before; an older lease of the
// same message is lost to a newer one.
func (k *Consumer) repeated(in *transport.Delivery) bool {
	if k.opts.noAck {
		if in.Number <= k.seen {
			return true
		}
		k.seen = in.Number
		return false
	}
	if _, ok := k.recent[in.Token]; ok {
		return true
	}
	if old := k.held[placeKey{in.Incarnation, in.Place}]; old != nil {
		if in.Token <= old.Token {
			return true
		}
		why := localError(transport.CodeLeaseLost, "", k.queue, "", nil)
		why.Cause = transport.CauseExpired
		old.lose(why)
	}
	return false
}

// release lets a delivery go that is settled or lost.
func (k *Consumer) release(d *Delivery) {
	if k.held[d.key] == d {
		delete(k.held, d.key)
	}
	if len(k.ring) < recentTokens {
		k.ring = append(k.ring, d.Token)
	} else {
		delete(k.recent, k.ring[k.oldest])
		k.ring[k.oldest] = d.Token
		k.oldest = (k.oldest + 1) % recentTokens
	}
	k.recent[d.Token] = struct{}{}
}

// pop waits for the next delivery. Its error ends the consumer's user.
func (k *Consumer) pop(ctx context.Context) (*Delivery, error) {
	for {
		d, more, err := k.take()
		if more || err != nil {
			signal(k.wake) // for the next one who waits
		}
		if err != nil {
			return nil, err
		}
		if d != nil {
			if d.Message, d.Deadline, err = messageOf(d.record); err == nil {
				d.record = nil
				return d, nil
			}
			k.corrupt(d, err)
			continue
		}
		select {
		case <-k.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take starts the oldest prefetched delivery, nil if there is none.
func (k *Consumer) take() (d *Delivery, more bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		switch {
		case k.state == ended && k.err != nil:
			return nil, false, k.err
		case k.state == ended,
			k.state != consuming && !k.opts.noAck,
			k.state == cancelled && len(k.ready) == 0:
			return nil, false, localError(codeClosed, "consume", k.queue, "", nil)
		case len(k.ready) == 0:
			return nil, false, nil
		case k.ctx.Err() != nil && k.handler != nil && !k.opts.noAck:
			return nil, false, nil // its end comes, and wakes: nothing is begun with any more
		}
		d := k.ready[0]
		k.ready[0] = nil
		k.ready = k.ready[1:]
		if d.state != stateQueued {
			continue // lost while it waited
		}
		d.state = stateStarted
		if k.opts.noAck {
			k.took(d)
		} else {
			k.c.out.keepBy(k.keepAt(d))
		}
		return d, len(k.ready) > 0, nil
	}
}

// took counts an assignment without acks as taken, and has the node told when
// half of the credit is used.
func (k *Consumer) took(d *Delivery) {
	if d.number == 0 {
		return
	}
	k.taken = d.number
	k.got++
	k.takenSize += len(d.record)
	if k.taken-k.credited >= uint64(max(k.opts.prefetch/2, 1)) || k.takenSize >= k.opts.prefetchBytes/2 {
		k.c.out.listCredit(k)
	} else if len(k.ready) == 0 {
		// The node may wait for bytes that half of the messages never reach.
		k.c.out.keepBy(time.Now().Add(creditIdle))
	}
}

// corrupt gives back a message whose checksum is wrong. It counts as a
// failure, so that it ends in the dead-letter queue if every copy is bad.
func (k *Consumer) corrupt(d *Delivery, err error) {
	bad := localError(transport.CodeMalformed, "consume", k.queue, "message "+d.ID.String(), err)
	k.c.opts.logger.Error("corrupt message", "queue", k.queue, "id", d.ID.String(), "error", err)
	d.settleAsync("nack", nackItem(ReasonMessage, "corrupt: "+err.Error()), time.Time{}, nil)
	k.opts.errorFunc(bad)
}

// handBack returns what nobody has started. The mutex is held.
func (k *Consumer) handBack() {
	for _, d := range k.ready {
		if d.state != stateQueued {
			continue
		}
		d.state = stateSettling
		if err := k.c.out.pushSettle(d.newSettle("nack", nackItem(ReasonUnstarted, ""))); err != nil {
			d.state = stateLost // closed: the session's end returns it
			d.lost = asError(err)
			k.release(d)
		}
	}
	k.ready = nil
}

// tokens appends those of the leases held.
func (k *Consumer) tokens(to []uint64) []uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.held {
		to = append(to, d.Token)
	}
	return to
}

// attached: the session is bound again. Every lease has at least half of its
// length, and everything assigned without acks counts as taken.
func (k *Consumer) attached(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.held {
		if half := now.Add(d.lease / 2); d.graced || d.until.Before(half) {
			d.until, d.graced = half, false
		}
	}
}

// expired: the session is gone and with it every lease. Assignments begin
// anew with 1.
func (k *Consumer) expired(why *Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	lost := localError(transport.CodeLeaseLost, "", k.queue, "", why)
	lost.Cause = transport.CauseSessionEnded
	for _, d := range k.held {
		d.lose(lost)
	}
	if !k.opts.noAck {
		k.ready = nil
	}
	for _, d := range k.ready {
		d.number = 0 // of no assignment in the new session
	}
	clear(k.recent)
	k.ring, k.oldest = nil, 0
	k.seen, k.taken, k.credited, k.takenSize = 0, 0, 0, 0
	k.checkDrained()
}

// wanted tells whether the consumer is to be attached: it was not stopped.
func (k *Consumer) wanted() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state == consuming
}

// checkDrained notes that no settle of a consumer without handlers at work is
// under way any more. The mutex is held.
func (k *Consumer) checkDrained() {
	if !k.idle {
		return
	}
	for _, d := range k.held {
		if d.state == stateSettling {
			return
		}
	}
	k.drainOnce.Do(func() { close(k.drained) })
}

// dropReady forgets what was prefetched. The mutex is held.
func (k *Consumer) dropReady(why *Error) {
	for _, d := range slices.Clone(k.ready) {
		if d.state == stateQueued && !k.opts.noAck {
			d.lose(why)
		}
	}
	k.ready = nil
}
