package modeltest

import (
	"bytes"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// window of message ids, oldest first.
type window struct {
	entries  []entry
	capacity uint32 // 0: none
}

type entry struct {
	dedupID string
	content []byte
	first   fsm.ID
	until   int64 // lease clock
}

func (to target) window() *window {
	if to.queue != nil {
		to.queue.window.capacity = to.queue.settings.DedupCapacity
		return &to.queue.window
	}
	to.topic.window.capacity = to.topic.settings.DedupCapacity
	return &to.topic.window
}

func (to target) windowMillis() int64 {
	if to.queue != nil {
		return int64(to.queue.settings.DedupMillis)
	}
	return int64(to.topic.settings.DedupMillis)
}

func (to target) duplicate() {
	if to.queue != nil {
		to.queue.duplicate++
	} else {
		to.topic.duplicate++
	}
}

// judge a message by its id.
func (w *window) judge(d Draft, now int64) fsm.Verdict {
	if w.capacity == 0 || d.DedupID == "" {
		return fsm.Verdict{}
	}
	for _, e := range w.entries {
		if e.dedupID == d.DedupID {
			if bytes.Equal(e.content, d.Content) {
				return fsm.Verdict{Code: fsm.Duplicate, FirstIndex: e.first.Index, FirstPosition: e.first.Position}
			}
			return fsm.Verdict{Code: fsm.Conflict}
		}
	}
	if len(w.entries) >= int(w.capacity) {
		return fsm.Verdict{Code: fsm.Busy, Cause: fsm.CauseDedup}
	}
	return fsm.Verdict{}
}

func (w *window) add(d Draft, id fsm.ID, now, length int64) {
	if w.capacity != 0 && d.DedupID != "" {
		w.entries = append(w.entries, entry{d.DedupID, d.Content, id, now + length})
	}
}

// forget the ids whose time is over.
func (w *window) forget(now int64) {
	w.entries = slices.DeleteFunc(w.entries, func(e entry) bool { return e.until <= now })
}

func (m *Model) forgetIDs() {
	for _, q := range m.queues {
		q.window.forget(m.clock.LeaseMillis)
	}
	for _, t := range m.topics {
		t.window.forget(m.clock.LeaseMillis)
	}
}
