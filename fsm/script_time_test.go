package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// times are the attributes of a publish that have to do with time: ttl=,
// delay=, deliver-at= (wall clock).
func (l *scriptLine) times(m *record.Message) {
	m.DeadlineMillis = l.num("deadline", 0)
	m.TTLMillis, m.DelayMillis, m.DeliverAtMillis = l.num("ttl", 0), l.num("delay", 0), l.num("deliver-at", 0)
}
