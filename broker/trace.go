package broker

import (
	"sync"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	traceTextBytes = 64   // of details that a trace keeps for each event it has room for
	traceStep      = 4096 // events looked at without letting the next one in
	traceReplyMax  = 1000 // events of one reply: the last ones
	traceBlock     = 512  // events of a block, 70 KB: no entry waits for more memory at once
)

// Trace keeps the last events of the messages of a group, as this node's
// replica derived them while applying. It is filled on every replica, so that
// it answers after a failover, and says how far back it reaches. Its memory is
// bounded. Make it before the replica is opened, and hand it to both.
type Trace struct {
	max int

	mu       sync.Mutex
	blocks   [][]fsm.TraceEvent // a ring of max; each block is made for its first event, and stays where it is
	first    uint64             // number of the oldest; number n is at n % max
	next     uint64             // number of the next
	text     int                // bytes of the details
	from     uint64             // everything since this entry is here
	fromWall int64
}

// NewTrace makes a trace of so many events, at least one.
func NewTrace(events int) *Trace {
	events = max(1, events)
	return &Trace{max: events, from: 1, blocks: make([][]fsm.TraceEvent, (events+traceBlock-1)/traceBlock)}
}

// Add takes an event, and forgets the oldest ones for which there is no room.
func (t *Trace) Add(e fsm.TraceEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.next-t.first == uint64(t.max) || t.next > t.first && t.text+len(e.Detail) > traceTextBytes*t.max {
		t.forget()
	}
	if b := &t.blocks[t.next%uint64(t.max)/traceBlock]; *b == nil {
		*b = make([]fsm.TraceEvent, traceBlock)
	}
	*t.at(t.next) = e
	t.next++
	t.text += len(e.Detail)
}

func (t *Trace) at(number uint64) *fsm.TraceEvent {
	i := number % uint64(t.max)
	return &t.blocks[i/traceBlock][i%traceBlock]
}

// forget drops the oldest event.
func (t *Trace) forget() {
	e := t.at(t.first)
	t.text -= len(e.Detail)
	t.from, t.fromWall = e.Index+1, e.WallMillis
	*e = fsm.TraceEvent{}
	t.first++
}

// Restored tells that the state was replaced by one that includes the entry at
// index: what led there was not seen.
func (t *Trace) Restored(index uint64, wallMillis int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.blocks)
	t.first, t.next, t.text = 0, 0, 0
	t.from, t.fromWall = index+1, wallMillis
}

// find returns what is known of a message, the last traceReplyMax events of
// it. The replica goes on applying meanwhile.
func (t *Trace) find(id fsm.ID) (r transport.TraceReply) {
	var found []fsm.TraceEvent
	t.mu.Lock()
	number, end := t.first, t.next
	for number < end {
		number = max(number, t.first)
		for stop := min(number+traceStep, end); number < stop; number++ {
			if e := t.at(number); e.ID == id {
				found = append(found, *e)
			}
		}
		t.mu.Unlock()
		t.mu.Lock()
		end = min(end, t.next) // it may have been restored
	}
	r.FromIndex, r.FromMs = t.from, t.fromWall
	t.mu.Unlock()
	for _, e := range found[max(0, len(found)-traceReplyMax):] {
		r.Events = append(r.Events, transport.TraceEvent{
			Index: e.Index, WallMs: e.WallMillis, Queue: e.Queue, Kind: e.Kind, Token: e.Token,
			Session: transport.SessionID(e.Session), Consumer: e.Consumer, Node: e.Node, Detail: e.Detail,
		})
	}
	return r
}
