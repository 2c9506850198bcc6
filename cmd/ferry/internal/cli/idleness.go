package cli

import (
	"sync"
	"time"
)

// idleness is how long nothing came. It counts only while the consumer is
// attached to the queue's leader: without one, nothing comes from a full queue.
type idleness struct {
	idle     time.Duration // while attached: it is taken for empty
	patience time.Duration // while not: it is taken for unavailable
	changed  chan struct{} // holds one: attached changed

	mu       sync.Mutex
	attached bool
	since    time.Time // of the last message, or change
}

func newIdleness(idle, patience time.Duration) *idleness {
	return &idleness{idle: idle, patience: patience, changed: make(chan struct{}, 1), since: time.Now()}
}

// tell is the client's: it does not block.
func (i *idleness) tell(attached bool) {
	i.mu.Lock()
	i.attached, i.since = attached, time.Now()
	i.mu.Unlock()
	select {
	case i.changed <- struct{}{}:
	default:
	}
}

func (i *idleness) came() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.since = time.Now()
}

// left is how long to wait for a message, or for a leader if the consumer is not
// attached to one.
func (i *idleness) left() (left time.Duration, attached bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	wait := i.idle
	if !i.attached {
		wait = i.patience
	}
	return time.Until(i.since.Add(wait)), i.attached
}
