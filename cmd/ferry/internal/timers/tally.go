package timers

import "sync"

// tally is which of the messages with the numbers 0 to n-1 have arrived and
// are acked. Any goroutine may use it.
type tally struct {
	all chan struct{} // closed when all are acked

	mu   sync.Mutex
	seen []bool // by number
	counts
}

type counts struct {
	arrived  int // different ones
	acked    int
	repeated int   // arrivals of one that was there before
	unknown  int   // of one that nobody published
	failed   error // the first of publishes and acks
}

func newTally(n int) *tally {
	t := &tally{seen: make([]bool, n), all: make(chan struct{})}
	if n == 0 {
		close(t.all)
	}
	return t
}

// arrive notes an arrival and tells whether it counts.
func (t *tally) arrive(number uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case number >= uint64(len(t.seen)):
		t.unknown++
		return false
	case t.seen[number]:
		t.repeated++
		return false
	}
	t.seen[number] = true
	t.arrived++
	return true
}

// settled notes that a message that counts is acked.
func (t *tally) settled() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.acked++; t.acked == len(t.seen) {
		close(t.all)
	}
}

func (t *tally) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

// count is what there is so far.
func (t *tally) count() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}
