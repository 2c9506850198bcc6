package wire

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// link carries packets one way. Everything but the rule and the counters is of
// the goroutine that reads the sender's device.
type link struct {
	rule    atomic.Pointer[Rule] // nil: no fault
	count   counters
	waiting atomic.Int64 // bytes in late

	random *rand.Rand
	free   time.Time // when Rate lets the next packet go
	last   time.Time // when the last packet in order is due
}

const (
	// waitingBytesMax bounds what a link holds back.
	waitingBytesMax = 32 << 20
	// rateWaitMax is how long a packet waits for Rate.
	rateWaitMax = time.Second
	// heldBack is how long a reordered packet is, beyond its delay.
	heldBack = 3 * time.Millisecond
)

// fate is what becomes of a packet.
type fate struct {
	drop   bool
	copies int
	at     time.Time // zero: now
}

// judge decides on a packet by the link's rule, and damages it if that is its
// fate. It draws from the random source alike whatever the outcome, so that
// what becomes of one packet does not change what becomes of the next.
func (l *link) judge(r *Rule, f frame, now time.Time) fate {
	lost, twice := l.draw(r.Loss), l.draw(r.Duplicate)
	corrupt, mangle, reorder := l.draw(r.Corrupt), l.draw(r.Mangle), l.draw(r.Reorder)
	jitter := time.Duration((l.random.Float64()*2 - 1) * float64(r.Jitter))
	damage := l.random.Uint64()
	switch {
	case r.Block:
		l.count.blocked.Add(1)
		return fate{drop: true}
	case lost:
		l.count.lost.Add(1)
		return fate{drop: true}
	}
	if corrupt && f.corrupt(damage) {
		l.count.corrupted.Add(1)
	} else if mangle && f.mangle(damage) {
		l.count.mangled.Add(1)
	}
	at, ok := l.due(r, len(f), now, max(0, r.Delay+jitter), reorder)
	if !ok {
		l.count.overflowed.Add(1)
		return fate{drop: true}
	}
	d := fate{copies: 1, at: at}
	if twice {
		l.count.duplicated.Add(1)
		d.copies = 2
	}
	return d
}

// draw is true with a probability.
func (l *link) draw(probability float64) bool { return l.random.Float64() < probability }

// due is when a packet arrives, zero for at once; not ok: never.
func (l *link) due(r *Rule, size int, now time.Time, delay time.Duration, reorder bool) (at time.Time, ok bool) {
	at = now
	if r.Rate > 0 {
		if l.free.After(now) {
			if l.free.Sub(now) > rateWaitMax {
				return at, false
			}
			l.count.limited.Add(1)
			at = l.free
		}
		l.free = at.Add(time.Duration(float64(size) / float64(r.Rate) * float64(time.Second)))
		at = l.free
	}
	if delay > 0 {
		l.count.delayed.Add(1)
		at = at.Add(delay)
	}
	if reorder {
		l.count.reordered.Add(1)
		return at.Add(heldBack), true
	}
	if at.Before(l.last) {
		at = l.last
	}
	l.last = at
	if !at.After(now) {
		at = time.Time{}
	}
	return at, true
}
