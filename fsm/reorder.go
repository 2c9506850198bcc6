package fsm

// reorders tells whether another line may be served after a change of settings.
func (t *Settings) reorders(was *Settings) bool {
	return t.GroupBatch != was.GroupBatch || t.GroupFailure != was.GroupFailure || t.Exclusive != was.Exclusive
}

// mayReorder tells whether the entry affords a look at all lines of a queue for
// new settings.
func (s *State) mayReorder(q *queue, now *Settings) bool {
	return q.lines == nil || !now.reorders(&q.settings) || s.affordsToil(toilLines, q.lines.all.Len())
}

// reorder follows a change of settings.
func (s *State) reorder(q *queue, was *Settings) {
	if q.settings.Fair != was.Fair && q.lines != nil {
		q.lines = nil // it had no messages and nothing parked, so there are weights at most
	}
	now := &q.settings
	if q.lines == nil || !now.reorders(was) {
		return
	}
	var all []uint32
	q.lines.all.Scan(func(n uint32, l *line) bool {
		if l.group != "" && (l.leased > 0 || l.retrying > 0) { // the others can be served whatever is set
			all = append(all, n)
		}
		return true
	})
	for _, n := range all {
		s.relist(q, n)
	}
	if now.Exclusive != was.Exclusive {
		q.members.Scan(func(serial uint64, _ struct{}) bool {
			s.reopen(q, s.consumer(serial))
			return true
		})
	}
	s.touch(q)
}
