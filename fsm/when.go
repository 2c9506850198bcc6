package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// whenFault says what is wrong with the times that a record's attributes ask
// for, "" if nothing is.
func (s *State) whenFault(info *record.Info) string {
	const ready = record.Set(1<<record.TagDelay | 1<<record.TagDeliverAt)
	p := info.Present
	switch {
	case p.Has(record.TagTTL) && info.TTLMillis > TenYearsMillis:
		return "time to live is longer than ten years"
	case p&ready == ready:
		return "both a delay and a time of delivery"
	case p.Has(record.TagDelay) && info.DelayMillis > TenYearsMillis,
		p.Has(record.TagDeliverAt) && info.DeliverAtMillis > uint64(s.clock.WallMillis)+TenYearsMillis:
		return "delivery is more than ten years away"
	}
	return ""
}

// readyAt is when a new message is to be ready by its attributes, now or later.
func (s *State) readyAt(info *record.Info) int64 {
	now := s.clock.WallMillis
	switch {
	case info == nil:
	case info.Present.Has(record.TagDelay):
		return now + int64(info.DelayMillis)
	case info.Present.Has(record.TagDeliverAt):
		return max(now, int64(info.DeliverAtMillis))
	}
	return now
}

// expiresAt is when a message that is ready at a time expires: after its own
// or its queue's time to live, the shorter of them; 0 if it has neither.
func (q *queue) expiresAt(readyAt int64, info *record.Info) int64 {
	ttl := q.settings.TTLMillis
	if info != nil && info.Present.Has(record.TagTTL) && info.TTLMillis > 0 && (ttl == 0 || info.TTLMillis < ttl) {
		ttl = info.TTLMillis
	}
	if ttl == 0 {
		return 0
	}
	return readyAt + int64(ttl)
}
