package history

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Recorder writes down operations as they happen. All clients of a run live in
// one process, so that one clock orders their events. It is safe for
// concurrent use.
type Recorder struct {
	began     time.Time
	clients   atomic.Uint32
	producers atomic.Uint32
	consumers atomic.Uint32

	mu     sync.Mutex
	ops    [][]Op // in pieces: see pieceOps
	counts Counts
	last   int64 // the last ok publish's return
	gap    int64 // the widest between two ok publishes since the last call of Gap
}

// pieceOps is how many operations lie in one piece of memory. What is written
// down is never copied to a larger one while all clients wait for it.
const pieceOps = 8192

// append adds an operation and returns its place.
func (r *Recorder) append(o Op) int {
	last := len(r.ops) - 1
	if last < 0 || len(r.ops[last]) == pieceOps {
		r.ops = append(r.ops, make([]Op, 0, pieceOps))
		last++
	}
	r.ops[last] = append(r.ops[last], o)
	return last*pieceOps + len(r.ops[last]) - 1
}

// at is the operation at a place.
func (r *Recorder) at(place int) *Op { return &r.ops[place/pieceOps][place%pieceOps] }

// Counts is how far a run has come.
type Counts struct {
	Attempted int64 // publishes
	Confirmed int64
	Delivered int64
	Settled   int64 // acks, nacks and rejects answered ok
	Open      int64 // operations without an answer
}

// NewRecorder starts the clock.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Began is when the clock started.
func (r *Recorder) Began() time.Time { return r.began }

// Now is the time since the run began, in nanoseconds, at least 1.
func (r *Recorder) Now() int64 { return max(1, int64(time.Since(r.began))) }

// Client, Producer and Consumer give numbers that nobody else has in this run.
func (r *Recorder) Client() uint32   { return r.clients.Add(1) }
func (r *Recorder) Producer() uint32 { return r.producers.Add(1) }
func (r *Recorder) Consumer() uint32 { return r.consumers.Add(1) }

// Invoke notes that an operation is about to be sent, and returns its place.
// The caller fills in what it knows; Call is set here.
func (r *Recorder) Invoke(o Op) int {
	o.Call, o.Outcome = r.Now(), Pending
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Open++
	if o.Kind == Publish {
		r.counts.Attempted++
	}
	return r.append(o)
}

// Complete notes the outcome of the operation at a place; fill may set what
// the answer told. It does nothing the second time.
func (r *Recorder) Complete(place int, outcome Outcome, fill func(*Op)) {
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.at(place)
	if o.Outcome != Pending {
		return
	}
	o.Return, o.Outcome = now, outcome
	if fill != nil {
		fill(o)
	}
	r.counts.Open--
	if outcome != OK {
		return
	}
	switch o.Kind {
	case Publish:
		r.counts.Confirmed++
		if r.last != 0 {
			r.gap = max(r.gap, now-r.last)
		}
		r.last = now
	case Ack, Nack, Reject:
		r.counts.Settled++
	}
}

// Amend changes the operation at a place, whatever became of it: the client
// library tells the witness of an operation before its caller is answered.
func (r *Recorder) Amend(place int, fill func(*Op)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fill(r.at(place))
}

// Event notes something that happens at one moment, such as a delivery.
func (r *Recorder) Event(o Op) int {
	now := r.Now()
	o.Call, o.Return, o.Outcome = now, now, OK
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.Kind == Deliver {
		r.counts.Delivered++
	}
	return r.append(o)
}

// Counts tells how far the run has come.
func (r *Recorder) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// Gap is the longest time between two confirms since the last call.
func (r *Recorder) Gap() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	gap := r.gap
	r.gap = 0
	return time.Duration(gap)
}

// Ops is a copy of what was recorded, in the order of the calls.
func (r *Recorder) Ops() []Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.ops...)
}
