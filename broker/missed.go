package broker

import (
	"time"

	"github.com/ferrymq/ferrymq/fsm"
)

const (
	// missedEvery is how often a leader may warn of subscriptions that miss messages.
	missedEvery = 10 * time.Second
	// missedNamed is how many of them it names then, each in a line of its own.
	missedNamed = 10
)

// missWatch is what a lane knows of the messages that its group's subscriptions
// missed, leading or not, so that a new leader does not tell it all again. It
// belongs to the goroutine that watches the pressure.
type missWatch struct {
	total  uint64            // of the state, when it was looked at last
	counts map[uint64]uint64 // of its subscriptions, by incarnation
	next   int64             // when it may warn again
}

// sampleMissed warns of subscriptions that miss messages, if this node leads.
// They lose them for good, and their publisher is not told.
func (l *lane) sampleMissed() {
	w, now := &l.missed, l.b.now()
	if now < w.next {
		return
	}
	total, all := w.total, []fsm.Misser(nil)
	l.group.View(func(s *fsm.State) {
		if total = s.Misses(); total != w.total {
			all = s.Missers()
		}
	})
	if total == w.total {
		return
	}
	rest, fresh := since(total, w.total), w.take(total, all)
	l.mu.Lock()
	leads := l.mode == modeLead
	l.mu.Unlock()
	if !leads {
		return
	}
	w.next = now + int64(missedEvery)
	for _, m := range fresh[:min(len(fresh), missedNamed)] {
		rest -= min(rest, m.Missed)
		l.b.log.Warn("a subscription misses messages, as it is full",
			"group", l.id, "subscription", m.Queue, "topic", m.Topic, "messages", m.Missed, "total", m.Total)
	}
	if rest > 0 {
		l.b.log.Warn("other subscriptions miss messages", "group", l.id, "messages", rest)
	}
}

// take notes what is known now, and returns what is new, the latest first.
func (w *missWatch) take(total uint64, all []fsm.Misser) (fresh []fsm.Misser) {
	counts := make(map[uint64]uint64, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		m := all[i]
		counts[m.Incarnation] = m.Missed
		if m.Missed = since(m.Missed, w.counts[m.Incarnation]); m.Missed > 0 {
			fresh = append(fresh, m)
		}
	}
	w.total, w.counts = total, counts
	return fresh
}

// since is how much a count grew. One that is lower began anew: the state was
// restored, or the subscription was forgotten meanwhile.
func since(now, was uint64) uint64 {
	if now < was {
		return now
	}
	return now - was
}
