package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// times are the attributes of a publish that have to do with time: ttl=,
// delay=, deliver-at= (wall clock).
func (l *scriptLine) times(m *record.Message) {
	m.TTLMillis, m.DelayMillis, m.DeliverAtMillis = l.num("ttl", 0), l.num("delay", 0), l.num("deliver-at", 0)
}

// message has the attributes that the line sets.
func (l *scriptLine) message() (m record.Message) {
	m.Subject, m.DedupID = l.set["subject"], l.set["id"]
	l.times(&m)
	return m
}
