package witness

import "github.com/ferrymq/ferrymq/jepsen/history"

// counted is the counts of a name after an entry; no queue: it did not exist.
type counted struct {
	index uint64
	queue *history.Queue
}

// changed notes that the counts of a queue are about to change.
func (m *model) changed(q *queue) {
	if q.watched && q.notedAt != m.index {
		q.notedAt = m.index
		m.dirty = append(m.dirty, q)
	}
}

// note takes down the counts that the entry changed. A name that was deleted
// and made anew in one entry is there.
func (m *model) note() {
	for _, q := range m.dirty {
		var now *history.Queue
		if q := m.names[q.name]; q != nil {
			counts := q.counts()
			now = &counts
		}
		m.watch[q.name] = append(m.watch[q.name], counted{m.index, now})
	}
}

func (q *queue) counts() history.Queue {
	return history.Queue{Name: q.name, Incarnation: q.incarnation, Ready: uint64(q.ready()),
		Leased: uint64(q.leased), Parked: uint64(len(q.parked)), Published: q.published, Acked: q.acked,
		Dead: q.dead, Purged: q.purged}
}

// counts of all queues as they are.
func (m *model) counts() map[string]history.Queue {
	all := make(map[string]history.Queue, len(m.names))
	for name, q := range m.names {
		all[name] = q.counts()
	}
	return all
}
