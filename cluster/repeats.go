package cluster

import (
	"sync"
	"time"
)

const (
	repeatsBurst = 3 // of one message in an interval
	repeatsEvery = 5 * time.Second
	repeatsMax   = 256 // different messages remembered
)

// repeats keeps libraries from filling the log: hashicorp/raft reports every
// attempt to reach a dead node, several a second for as long as it is dead.
type repeats struct {
	mu   sync.Mutex
	seen map[string]*repeat
}

type repeat struct {
	since  time.Time
	shown  int
	hidden int
}

func newRepeats() *repeats { return &repeats{seen: make(map[string]*repeat)} }

// show tells whether to log the message, and how often it was not logged since
// it was logged last.
func (r *repeats) show(msg string, now time.Time) (show bool, hidden int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.seen[msg]
	if x == nil {
		if len(r.seen) >= repeatsMax {
			clear(r.seen)
		}
		x = &repeat{since: now}
		r.seen[msg] = x
	}
	if now.Sub(x.since) >= repeatsEvery {
		hidden = x.hidden
		*x = repeat{since: now}
	}
	if x.shown >= repeatsBurst {
		x.hidden++
		return false, 0
	}
	x.shown++
	return true, hidden
}
