package network

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	rtoFirst = 200 * time.Millisecond // Linux's least retransmission time-out
	rtoMax   = 6400 * time.Millisecond
	lossMax  = 6 // times that one segment is lost
)

// Rule is the weather of one direction between two hosts.
type Rule struct {
	Delay     time.Duration // of every write
	Jitter    time.Duration // up to this much more, evenly
	Loss      float64       // of segments
	Reorder   float64       // of segments: overtaken, and so as late as the next but one
	Duplicate float64       // of segments
}

// Counts is what the weather did.
type Counts struct {
	Writes     int64
	Lost       int64
	Reordered  int64
	Duplicated int64
	Blocked    int64 // writes into a cut link
	Thawed     int64 // directions that went on after a cut with something waiting
}

// Bad is how much went wrong.
func (c Counts) Bad() int64 { return c.Lost + c.Reordered + c.Duplicated + c.Blocked }

// Since is what happened after another count was taken.
func (c Counts) Since(before Counts) Counts {
	return Counts{
		Writes: c.Writes - before.Writes, Lost: c.Lost - before.Lost, Reordered: c.Reordered - before.Reordered,
		Duplicated: c.Duplicated - before.Duplicated, Blocked: c.Blocked - before.Blocked, Thawed: c.Thawed - before.Thawed,
	}
}

type link struct{ from, to string }

// weather implements memory.Weather.
type weather struct {
	mu     sync.Mutex // guards what follows
	rand   *rand.Rand
	calm   Rule // where there is no other rule
	rules  map[link]Rule
	cut    map[link]bool
	counts Counts
}

func newWeather(seed uint64, calm Rule) *weather {
	return &weather{
		rand: rand.New(rand.NewPCG(seed, 0x6e6574)), calm: calm,
		rules: make(map[link]Rule), cut: make(map[link]bool),
	}
}

// Travel implements memory.Weather.
func (w *weather) Travel(from, to string, _ int) time.Duration {
	if from == to {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	l := link{from, to}
	r, some := w.rules[l]
	if !some {
		r = w.calm
	}
	w.counts.Writes++
	if w.cut[l] {
		w.counts.Blocked++
	}
	d := r.Delay + w.upTo(r.Jitter)
	if w.happens(r.Reorder) {
		w.counts.Reordered++
		d += 2*(r.Delay+r.Jitter) + time.Millisecond
	}
	if w.happens(r.Duplicate) {
		w.counts.Duplicated++
		d += r.Delay / 8
	}
	rto := rtoFirst
	for range lossMax {
		if !w.happens(r.Loss) {
			break
		}
		w.counts.Lost++
		d += rto
		rto = min(2*rto, rtoMax)
	}
	return d
}

// Thaw implements memory.Weather: the sender has tried again at ever longer
// intervals, and the next time comes somewhere in the present one.
func (w *weather) Thaw(_, _ string, cut time.Duration) time.Duration {
	rto := rtoFirst
	for sum := rto; sum < cut && rto < rtoMax; sum += rto {
		rto *= 2
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Thawed++
	return w.upTo(rto)
}

func (w *weather) happens(p float64) bool { return p > 0 && w.rand.Float64() < p }

func (w *weather) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(w.rand.Int64N(int64(d)))
}
