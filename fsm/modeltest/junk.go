package modeltest

import (
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// heap is what a purge or a deletion took away from a queue, and the machine
// has still.
type heap struct {
	queue    string
	entry    uint64 // that took it away
	kind     string // of its trace events
	with     string // what its queue went with; "": nothing
	messages []*message
}

func (m *Model) discard(h *heap) {
	h.entry = m.index
	if len(h.messages) > 0 {
		m.junk = append(m.junk, h)
	}
}

// reclaim follows what the machine tells of. In each entry it drops as many
// messages as it may, of what was taken away first, in an order of its own;
// that is when those are answered who wait for them.
func (m *Model) reclaim(told []fsm.TraceEvent) error {
	told = slices.DeleteFunc(slices.Clone(told), func(e fsm.TraceEvent) bool {
		return e.Kind != fsm.TracePurged && e.Kind != fsm.TraceQueueDeleted
	})
	n := 0
	for ; n < m.bounds.Reclaim && len(m.junk) > 0; n++ {
		h := m.junk[0]
		if n == len(told) {
			return fmt.Errorf("reclaimed %d messages, and there are more of %s", n, h.queue)
		}
		if err := h.lose(m, told[n]); err != nil {
			return fmt.Errorf("reclaimed %w", err)
		}
		if len(h.messages) == 0 {
			m.junk = m.junk[1:]
		}
	}
	if n < len(told) {
		return fmt.Errorf("reclaimed %d messages, want %d", len(told), n)
	}
	return nil
}

// lose drops the message that the machine tells of.
func (h *heap) lose(m *Model, e fsm.TraceEvent) error {
	i := slices.IndexFunc(h.messages, func(msg *message) bool { return msg.id == e.ID })
	if i < 0 || e.Queue != h.queue || e.Kind != h.kind || e.Detail != h.detail(m.index) {
		return fmt.Errorf("%+v, want one of %d messages of %s, %s, %q", e, len(h.messages), h.queue, h.kind, h.detail(m.index))
	}
	m.reply(h.messages[i], fsm.DeadLettered)
	h.messages = slices.Delete(h.messages, i, i+1)
	return nil
}

// detail tells which entry took the messages away, if it was not this one.
func (h *heap) detail(now uint64) string {
	by := fmt.Sprintf("by entry %d", h.entry)
	switch {
	case h.entry == now:
		return h.with
	case h.with == "":
		return by
	}
	return h.with + ", " + by
}
