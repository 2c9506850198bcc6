package store

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// watermarkEvery is how long a moved mark may wait for its write; with the
// write itself it stays under 100 ms.
const watermarkEvery = 80 * time.Millisecond

// watermark remembers outside the log how far the log was once durable, so
// that a log which lost its end is recognized and does not vote. It is written
// soon after each move, before each vote, and before the log's tail is cut.
type watermark struct {
	slots *slots
	store func(mark) error // writes the mark: slots.write
	guard *guard           // its one worker owns slots

	mu      sync.Mutex // held for assignments only, never while writing
	now     mark
	durable mark
	writing bool // the slots may hold another mark than durable

	moved chan struct{} // holds one: now differs from durable
	stop  chan struct{}
	wg    sync.WaitGroup
}

func newWatermark(s *slots, m mark, g *guard) *watermark {
	w := &watermark{slots: s, store: s.write, guard: g, now: m, durable: m, moved: make(chan struct{}, 1), stop: make(chan struct{})}
	w.wg.Go(w.run)
	return w
}

func (w *watermark) run() {
	for {
		select {
		case <-w.stop:
			return
		case <-w.moved:
		}
		timer := time.NewTimer(watermarkEvery)
		select {
		case <-w.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if w.flush() != nil {
			return // the guard has poisoned the store and told the owner
		}
	}
}

// raise notes that everything up to end is durable.
func (w *watermark) raise(end uint64) {
	w.change(func(m *mark) { m.end = max(m.end, end) })
}

// promise notes the durable term and vote.
func (w *watermark) promise(term, voteTerm uint64) {
	w.change(func(m *mark) { m.term, m.voteTerm = max(m.term, term), max(m.voteTerm, voteTerm) })
}

// lower forgets, durably, what lies above end.
func (w *watermark) lower(end uint64) error {
	w.change(func(m *mark) { m.end = min(m.end, end) })
	return w.flush()
}

func (w *watermark) change(f func(*mark)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.now)
	if w.now != w.durable {
		w.remind()
	}
}

func (w *watermark) remind() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// flush returns once the mark is durable as it was when flush was called, or
// newer.
func (w *watermark) flush() error {
	w.mu.Lock()
	clean := w.now == w.durable && !w.writing
	w.mu.Unlock()
	if clean {
		return nil
	}
	return w.guard.do("write watermark", w.write)
}

func (w *watermark) write() error {
	w.mu.Lock()
	m, same := w.now, w.now == w.durable
	w.writing = !same
	w.mu.Unlock()
	if same {
		return nil
	}
	if err := w.store(m); err != nil {
		return err // the store is poisoned; what the slots hold stays unknown
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.durable, w.writing = m, false
	if w.now != m { // changed meanwhile, perhaps back to what was durable before
		w.remind()
	}
	return nil
}

func (w *watermark) durableMark() mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.durable
}

// close writes the last mark and stops. The file is closed only if no write
// is left behind in it.
func (w *watermark) close() error {
	close(w.stop)
	w.wg.Wait()
	flushed := w.flush()
	if errors.Is(flushed, ErrPoisoned) {
		flushed = nil // its cause was reported when it happened
	}
	if err := w.guard.close(); err != nil {
		return errors.Join(flushed, err)
	}
	return errors.Join(flushed, w.slots.close())
}

// watermarkLog moves the watermark with the log.
type watermarkLog struct {
	next      raft.LogStore
	mark      *watermark
	snapshots interface{ lastIndex() uint64 }
}

func (l *watermarkLog) FirstIndex() (uint64, error)              { return l.next.FirstIndex() }
func (l *watermarkLog) LastIndex() (uint64, error)               { return l.next.LastIndex() }
func (l *watermarkLog) GetLog(index uint64, log *raft.Log) error { return l.next.GetLog(index, log) }
func (l *watermarkLog) IsMonotonic() bool                        { return isMonotonic(l.next) }
func (l *watermarkLog) StoreLog(log *raft.Log) error             { return l.StoreLogs([]*raft.Log{log}) }

func (l *watermarkLog) StoreLogs(logs []*raft.Log) error {
	if err := l.next.StoreLogs(logs); err != nil {
		return err
	}
	if n := len(logs); n > 0 {
		l.mark.raise(logs[n-1].Index)
	}
	return nil
}

// DeleteRange lowers the watermark first when the end of the log goes. The
// end of what is promised is then the entry before the cut, or the last
// snapshot if that reaches further.
func (l *watermarkLog) DeleteRange(min, max uint64) error {
	if min > max {
		return nil
	}
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	if max >= last {
		end := l.snapshots.lastIndex()
		if min > first && min-1 > end {
			end = min - 1
		}
		if err := l.mark.lower(end); err != nil {
			return err
		}
	}
	if err := l.next.DeleteRange(min, max); err != nil {
		return err
	}
	// A prefix is deleted by another goroutine than the one that appends: an
	// append in between may have moved the mark that was lowered above.
	if last, err = l.LastIndex(); err != nil {
		return err
	}
	l.mark.raise(last)
	return nil
}
