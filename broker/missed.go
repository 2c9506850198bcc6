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

// missWatch is what a leader knows of the messages that its group's subscriptions
// missed. A state that replays its log counts them anew, so what there is when
// this node begins to lead is not news: whoever led then told it. From then on
// nothing is left out, if it leads for one sample: what is new when it leads no
// longer is told then. Of a leader that dies, what was missed since its last
// warning or sample is in the metrics and explained alone.
//
// It belongs to the goroutine that watches the pressure.
type missWatch struct {
	misses
	leads bool  // as of the last look
	next  int64 // when it may warn again
}

// misses are those that a state counted.
type misses struct {
	total  uint64
	counts map[uint64]uint64 // of its subscriptions, by incarnation
}

// sampleMissed warns of subscriptions that miss messages, if this node leads
// or did until now. They lose them for good, and their publisher is not told.
// The last sample is that of a broker that stops.
func (l *lane) sampleMissed(last bool) {
	w, now := &l.missed, l.b.now()
	l.mu.Lock()
	leads, before := l.mode == modeLead, l.missedBefore
	l.missedBefore = nil
	l.mu.Unlock()
	led := w.leads
	if before != nil && !led {
		w.misses, led = *before, true
	}
	w.leads = leads
	if !led || leads && !last && now < w.next {
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
	w.next = now + int64(missedEvery)
	for _, m := range fresh[:min(len(fresh), missedNamed)] {
		rest -= min(rest, m.Missed)
		l.b.log.Warn("a subscription misses messages, see ferry explain",
			"group", l.id, "subscription", m.Queue, "topic", m.Topic, "messages", m.Missed, "total", m.Total, "why", m.Why)
	}
	if rest > 0 {
		l.b.log.Warn("other subscriptions miss messages", "group", l.id, "messages", rest)
	}
}

// take notes what is known now, and returns what is new, the latest first.
func (w *misses) take(total uint64, all []fsm.Misser) (fresh []fsm.Misser) {
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
