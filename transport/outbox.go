package transport

import (
	"sync"
)

const (
	chunkSize  = 16 << 10 // small frames are copied together into chunks of this size
	smallMax   = 4 << 10  // frames above are written from their own memory
	batchBytes = 256 << 10
	batchParts = 64
)

// chunks are shared by all connections: an idle one holds none.
var chunks = sync.Pool{New: func() any { b := make([]byte, 0, chunkSize); return &b }}

// segment is bytes to be written: a chunk of small frames, or a large frame.
type segment struct {
	b     []byte
	chunk *[]byte // to be given back, nil for a large frame
}

// outbox holds what waits to be written, bounded in bytes. Senders push, the
// writer takes batches and releases them when they are written.
type outbox struct {
	max  int
	wake chan struct{} // tells the writer that something changed

	mu     sync.Mutex // guards what follows; never held while waiting
	queue  []segment
	queued int           // bytes, those being written included
	full   chan struct{} // closed when there is room; nil if nobody waits
	closed bool
}

func newOutbox(limit int) outbox {
	return outbox{max: limit, wake: make(chan struct{}, 1)}
}

// push queues a frame whose payload the caller keeps.
func (o *outbox) push(f Frame) error {
	if f.Size() > smallMax {
		if err := o.tryRoom(); err != nil { // before the copy, not after it
			return err
		}
		return o.pushBuilt(AppendFrame(make([]byte, 0, f.Size()), f))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refusal(); err != nil {
		return err
	}
	s := o.tail(f.Size())
	s.b = AppendFrame(s.b, f)
	o.added(f.Size())
	return nil
}

// pushBuilt queues frames that are built already and become the outbox's.
func (o *outbox) pushBuilt(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refusal(); err != nil {
		return err
	}
	if len(b) > smallMax {
		o.queue = append(o.queue, segment{b: b})
	} else {
		s := o.tail(len(b))
		s.b = append(s.b, b...)
	}
	o.added(len(b))
	return nil
}

// refusal says why nothing can be pushed now. A frame is taken whenever the
// bound is not reached yet, however large it is: so small frames cannot
// starve a large one.
func (o *outbox) refusal() error {
	switch {
	case o.closed:
		return ErrClosed
	case o.queued >= o.max:
		return ErrOutboxFull
	}
	return nil
}

// tail is the last segment, with room for n small bytes.
func (o *outbox) tail(n int) *segment {
	if last := len(o.queue) - 1; last >= 0 {
		if s := &o.queue[last]; s.chunk != nil && cap(s.b)-len(s.b) >= n {
			return s
		}
	}
	chunk := chunks.Get().(*[]byte)
	o.queue = append(o.queue, segment{b: (*chunk)[:0], chunk: chunk})
	return &o.queue[len(o.queue)-1]
}

func (o *outbox) added(n int) {
	o.queued += n
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// tryRoom returns nil if a frame would be taken now.
func (o *outbox) tryRoom() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refusal()
}

// room returns a channel that is closed when there may be room, nil if there is some.
func (o *outbox) room() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.queued < o.max {
		return nil
	}
	if o.full == nil {
		o.full = make(chan struct{})
	}
	return o.full
}

func (o *outbox) queuedBytes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queued
}

// take moves the next segments into batch. last says that nothing is queued
// and nothing will be.
func (o *outbox) take(batch []segment) (_ []segment, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, bytes := 0, 0
	for n < len(o.queue) && n < batchParts && (n == 0 || bytes+len(o.queue[n].b) <= batchBytes) {
		bytes += len(o.queue[n].b)
		n++
	}
	batch = append(batch, o.queue[:n]...)
	rest := copy(o.queue, o.queue[n:])
	clear(o.queue[rest:])
	o.queue = o.queue[:rest]
	return batch, n == 0 && o.closed
}

// release gives back what was written.
func (o *outbox) release(batch []segment) {
	bytes := 0
	for i := range batch {
		bytes += len(batch[i].b)
		if chunk := batch[i].chunk; chunk != nil {
			chunks.Put(chunk)
		}
		batch[i] = segment{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queued -= bytes
	o.wakeSenders()
}

// close refuses further frames; what is queued may still be taken.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	o.wakeSenders()
	o.added(0)
}

func (o *outbox) wakeSenders() {
	if o.full != nil && (o.closed || o.queued < o.max) {
		close(o.full)
		o.full = nil
	}
}
