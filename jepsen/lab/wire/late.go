package wire

import (
	"bytes"
	"container/heap"
	"context"
	"sync"
	"time"
)

// late holds the packets of one sender until they are due. Its goroutine is
// run; add may be called by any.
type late struct {
	deliver func(letter)
	wake    chan struct{} // of one: the first letter may be another

	mu    sync.Mutex
	queue letters
	added uint64
}

// letter is a packet on its way.
type letter struct {
	at    time.Time
	order uint64 // of those due at once
	link  *link
	to    byte
	frame frame
}

func newLate(deliver func(letter)) *late {
	return &late{deliver: deliver, wake: make(chan struct{}, 1)}
}

// add copies a packet that goes to a host by a link; false when the link holds
// too much already.
func (l *late) add(k *link, to byte, f frame, at time.Time) bool {
	size := int64(len(f))
	if k.waiting.Add(size) > waitingBytesMax {
		k.waiting.Add(-size)
		return false
	}
	l.mu.Lock()
	l.added++
	heap.Push(&l.queue, letter{at, l.added, k, to, bytes.Clone(f)})
	first := l.queue[0].order == l.added
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// run delivers until ctx ends. What is not due by then is dropped.
func (l *late) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.wake:
		}
		for ctx.Err() == nil {
			next, wait, any := l.next(time.Now())
			if !any {
				break
			}
			if wait > 0 {
				timer.Reset(wait)
				break
			}
			next.link.waiting.Add(-int64(len(next.frame)))
			l.deliver(next)
		}
	}
}

// next takes the first letter if it is due, and else tells when it will be.
func (l *late) next(now time.Time) (next letter, wait time.Duration, any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return letter{}, 0, false
	}
	if wait := l.queue[0].at.Sub(now); wait > 0 {
		return letter{}, wait, true
	}
	return heap.Pop(&l.queue).(letter), 0, true
}

// letters is a heap, the first to be delivered at its top.
type letters []letter

func (q letters) Len() int { return len(q) }
func (q letters) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}
func (q letters) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *letters) Push(x any)   { *q = append(*q, x.(letter)) }
func (q *letters) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = letter{} // so that its packet can be collected
	*q = old[:len(old)-1]
	return last
}
