package memory

import (
	"sync"
	"time"
)

// deadline is a moment after which a channel is closed.
type deadline struct {
	mu    sync.Mutex // guards what follows
	timer *time.Timer
	turn  uint64 // rises with every set; a timer of an earlier turn does nothing
	over  chan struct{}
}

func (d *deadline) init() { d.over = make(chan struct{}) }

// passed is closed when the deadline that holds now has passed.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

// set moves the deadline; zero takes it away. It holds for reads and writes
// that wait already, because the channel stays the same until it is closed.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.turn++
	select {
	case <-d.over:
		d.over = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		close(d.over)
		return
	}
	turn := d.turn
	d.timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.turn == turn {
			d.timer = nil
			close(d.over)
		}
	})
}
