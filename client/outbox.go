package client

import (
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// outbox is where user goroutines leave messages, settles and other
// operations for the manager, which gives them numbers and sends them. Its
// mutex is held for short copies only, never while waiting.
type outbox struct {
	wake   chan struct{} // holds one: there is something for the manager
	notice chan struct{} // holds one: there is something for the notifier
	room   chan struct{} // holds one: whoever takes it passes it on while room is left

	timeout     time.Duration // of what is asynchronous
	maxMessages int
	maxBytes    int

	mu       sync.Mutex
	err      *Error // why nothing more is taken, nil while open
	reason   error  // why nothing moves, nil while it does
	lanes    map[laneKey]*lane
	ready    []*lane // may send a batch, in turn
	settles  settleQueue
	controls []*control
	messages int // in flight: pushed, and not yet answered or told
	bytes    int
	blocked  int
	runs     []run // asynchronous messages in publish order
	told     []notice
	credits  []*Consumer // whose credit is to be sent
	keepAt   time.Time   // when leases and credits are to be looked at
	barrier  barrier
	notified bool // the notifier has ended: the next notice begins it anew

	messageMax  int // logical bytes of a message; 0: not known yet
	messagesMax int // of a batch
}

func newOutbox(o *options) *outbox {
	return &outbox{
		wake: make(chan struct{}, 1), notice: make(chan struct{}, 1), room: make(chan struct{}, 1),
		timeout: o.requestTimeout, maxMessages: o.inFlight, maxBytes: o.inFlightBytes,
		lanes: map[laneKey]*lane{}, barrier: newBarrier(), messagesMax: batchMessages,
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// push adds a message. pushed is false when the window is full: wait for room.
func (o *outbox) push(queue string, m *record.Message, to message) (pushed bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pushLocked(laneKey{queue: queue}, m, to)
}

// pushCall adds those of the call's messages from index j on that the window
// takes, so that they share frames, and returns the index of the first one
// left. What is wrong with a message is told at once.
func (o *outbox) pushCall(queue string, ms []Message, which []int, j int, c *call) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	for end := min(len(which), j+batchMessages); j < end; j++ {
		r, err := recordOf(&ms[which[j]])
		if err != nil {
			c.tell(j, Receipt{}, about(err, "publish", queue))
			continue
		}
		pushed, err := o.pushLocked(laneKey{queue: queue}, &r, message{call: c, index: j})
		if err != nil {
			c.tell(j, Receipt{}, err)
		} else if !pushed {
			break
		}
	}
	return j
}

func (o *outbox) pushLocked(to laneKey, m *record.Message, each message) (pushed bool, err error) {
	size := record.Size(m)
	each.size = size + wire.BytesLenSize(size)
	if o.err != nil {
		return false, o.err.about("publish", to.queue)
	}
	if o.messageMax > 0 && size > o.messageMax && record.LogicalSize(m) > o.messageMax {
		return false, localError(transport.CodeTooLarge, "publish", to.queue,
			fmt.Sprintf("at most %d bytes of headers and body are taken", o.messageMax), nil)
	}
	if !o.hasRoom(each.size) {
		return false, nil
	}
	l := o.lane(to)
	// Only a frame with one message tells how many queues that got from a topic.
	alone := m.Subject != "" && each.call != nil && len(each.call.results) == 1
	b := o.open(l, each.call == nil, alone, each.size)
	if err := b.add(m, size); err != nil {
		o.discardEmpty(b)
		return false, recordError(to.queue, err)
	}
	i := len(b.messages)
	b.messages = append(b.messages, each)
	o.messages++
	o.bytes += each.size
	if each.call != nil {
		each.call.places[each.index] = place{b, i}
	} else {
		o.ordered(b, i)
	}
	o.list(l)
	return true, nil
}

// hasRoom tells whether the window takes a message. One that is larger than
// the whole window goes alone.
func (o *outbox) hasRoom(size int) bool {
	return o.messages == 0 || o.messages < o.maxMessages && o.bytes+size <= o.maxBytes
}

func (o *outbox) lane(key laneKey) *lane {
	l := o.lanes[key]
	if l == nil {
		l = &lane{laneKey: key}
		o.lanes[key] = l
	}
	return l
}

// open returns the batch that takes the message.
func (o *outbox) open(l *lane, async, alone bool, size int) *batch {
	if n := len(l.batches); n > 0 && !alone && l.batches[n-1].takes(async, size, o.messagesMax) {
		return l.batches[n-1]
	}
	b := newBatch(l, async, o.barrier.enter())
	b.alone = alone
	if async && !l.once {
		b.deadline = time.Now().Add(o.timeout)
	}
	l.batches = append(l.batches, b)
	return b
}

// discardEmpty drops a batch whose first message could not be encoded.
func (o *outbox) discardEmpty(b *batch) {
	if len(b.messages) == 0 {
		o.unwait(b)
		o.barrier.leave(b.gen)
		b.recycle()
	}
}

// unwait takes a waiting batch out of its lane.
func (o *outbox) unwait(b *batch) {
	l := b.lane
	for i, other := range l.batches {
		if other == b {
			l.batches = append(l.batches[:i], l.batches[i+1:]...)
			break
		}
	}
	o.dropIdle(l)
}

func (o *outbox) dropIdle(l *lane) {
	if len(l.batches) > 0 || l.inFlight > 0 || l.listed {
		return
	}
	delete(o.lanes, l.laneKey)
}

// list puts the lane in the ready list if it has a batch that may go.
func (o *outbox) list(l *lane) {
	if l.listed || len(l.batches) == 0 {
		return
	}
	if l.inFlight < laneInFlight || len(l.batches) > 1 || l.batches[0].full(o.messagesMax) {
		l.listed = true
		o.ready = append(o.ready, l)
		signal(o.wake)
	}
}

// nextBatch takes the batch that is to be sent next, nil for none.
func (o *outbox) nextBatch() payload {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.ready) > 0 {
		l := o.ready[0]
		o.ready = o.ready[1:]
		l.listed = false
		if len(l.batches) == 0 {
			o.dropIdle(l)
			continue
		}
		b := l.batches[0]
		l.batches = append(l.batches[:0], l.batches[1:]...)
		b.compact()
		if len(b.messages) == 0 {
			o.barrier.leave(b.gen)
			b.recycle()
			o.list(l)
			o.dropIdle(l)
			continue
		}
		b.sent = true
		l.inFlight++
		o.list(l)
		if l.once {
			return unconfirmed{b}
		}
		return b
	}
	return nil
}

// hasWork tells whether anything waits to be sent.
func (o *outbox) hasWork() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ready) > 0 || len(o.settles.waiting) > 0 || len(o.controls) > 0
}

// stalled notes why nothing moves, nil for that it does. Calls that end
// before anything was sent tell it.
func (o *outbox) stalled(reason error) {
	o.mu.Lock()
	o.reason = reason
	o.mu.Unlock()
}

// free gives room back and lets the next blocked goroutine try.
func (o *outbox) free(messages, bytes int) {
	o.messages -= messages
	o.bytes -= bytes
	if o.blocked > 0 {
		signal(o.room)
	}
}

// seal is for Flush: what tells that everything pushed so far is over.
func (o *outbox) seal() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.barrier.seal()
}

// recordError is a message that cannot be encoded.
func recordError(queue string, err error) *Error {
	code := transport.CodeInvalid
	if isTooLarge(err) {
		code = transport.CodeTooLarge
	}
	return localError(code, "publish", queue, "", err)
}

// limit takes over what the node allows.
func (o *outbox) limit(messageMax, messagesMax uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messageMax = int(messageMax)
	if o.messagesMax = batchMessages; messagesMax > 0 {
		o.messagesMax = min(batchMessages, int(messagesMax))
	}
}
