package broker

import (
	"sync"
	"sync/atomic"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// mode is where a lane's commands go.
type mode uint8

const (
	modeNone    mode = iota // no leader that can be reached: refused
	modeLead                // into entries proposed here
	modeForward             // to the leader, over the link
)

// lane is the way of one group's commands: a queue, where it leads to, and
// what is under way there. The runner empties the queue, the collector waits
// for entries; see run.go and collect.go.
type lane struct {
	b     *Broker
	group Group
	id    uint32

	wake      chan struct{} // capacity 1: the runner has something to look at
	proposals chan proposal // capacity EntriesInFlight: from runner to collector

	mu       sync.Mutex
	mode     mode
	info     transport.GroupInfo // the leader as last told
	self     bool                // this node leads as last told
	queue    queue
	space    chan struct{} // closed when the queue has room again; nil while nobody waits
	closed   bool
	inFlight int   // proposals under way
	holdTill int64 // broker time before which nothing is proposed, after a failure
	clock    clockState
	ledTerm  uint64    // the last term that this node led
	sent     forwarded // commands at the leader
	owed     []owed    // commands of our own to be repeated
	refused  map[*peer]uint64

	bodyBytes int64 // of the state's waiting messages, as of the last entry whose answers may be out

	missedBefore *misses // of the state, when this node began to lead; nil: the watch has it

	lagging atomic.Bool // the state is far behind the log, as last sampled
	missed  missWatch

	sessions sessions
}

const (
	// ownedMax bounds the commands of the broker itself that wait for a
	// leader; a new leader's first entry makes them needless anyway.
	owedMax = 1 << 14
	// holdNanos is how long a lane waits after a failure: those who are told of
	// it come back soon, and so does what the broker itself repeats.
	holdNanos = int64(20e6)
)

func newLane(b *Broker, g Group) *lane {
	l := &lane{
		b: b, group: g, id: g.ID(),
		wake:      make(chan struct{}, 1),
		proposals: make(chan proposal, b.o.EntriesInFlight),
		refused:   map[*peer]uint64{},
		sessions:  newSessions(),
	}
	l.queue.limit = b.o.EntryBytes
	return l
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// submit queues a command of a local connection, and waits while the queue is
// full: the connection is not read meanwhile. It returns false and why when
// the command was refused.
func (l *lane) submit(o op, encode func([]byte) []byte) (transport.Result, bool) {
	for {
		l.mu.Lock()
		if r, refused := l.refuse(&o); refused {
			l.mu.Unlock()
			return r, false
		}
		if l.queue.bytes < l.b.o.SubmitQueueBytes {
			l.queue.add(o, encode)
			l.mu.Unlock()
			l.signal()
			return transport.Result{}, true
		}
		if l.space == nil {
			l.space = make(chan struct{})
		}
		space := l.space
		l.mu.Unlock()
		select {
		case <-space:
		case <-o.conn.done:
			return refusal(transport.CodeShuttingDown, ""), false
		}
	}
}

// refuse says whether a command cannot be taken now. The caller holds l.mu.
func (l *lane) refuse(o *op) (transport.Result, bool) {
	h := o.handle
	switch {
	case l.closed:
		return refusal(transport.CodeShuttingDown, "this node is stopping"), true
	case l.mode == modeNone:
		if h != nil {
			h.broken = true
		}
		return refusal(transport.CodeNoLeader, "no leader is known"), true
	case h != nil && o.kind == fsm.KindAttach:
		h.broken = false
	case h != nil && h.broken:
		return refusal(transport.CodeNoLeader, "attach again: an operation before this one failed"), true
	}
	if o.grows {
		return l.pressed()
	}
	return transport.Result{}, false
}

// submitOwn queues a command of the broker itself: never refused, and
// repeated until it is judged.
func (l *lane) submitOwn(o owed) {
	l.mu.Lock()
	l.addOwn(o)
	l.mu.Unlock()
	l.signal()
}

// addOwn queues o or keeps it for later. The caller holds l.mu.
func (l *lane) addOwn(o owed) {
	switch {
	case l.closed:
	case l.mode != modeNone:
		l.queue.add(op{again: &o, kind: o.kind, since: l.b.now()}, func(b []byte) []byte { return append(b, o.command...) })
	case len(l.owed) < owedMax:
		l.owed = append(l.owed, o)
	}
}

// roomMade lets waiting readers go on. The caller holds l.mu.
func (l *lane) roomMade() {
	if l.space != nil && (l.queue.bytes < l.b.o.SubmitQueueBytes || l.mode == modeNone || l.closed) {
		close(l.space)
		l.space = nil
	}
}
