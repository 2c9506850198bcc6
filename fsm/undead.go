package fsm

// undead takes the death away of a message that was in q, and gives it what it
// was before. What was tried of a dead letter is added; a parked message has
// its counts still, and was not handed out.
func (m *message) undead(q *queue) {
	d := m.death()
	if d == nil {
		return
	}
	since := *m.more
	if q.deadLetter == 0 {
		m.attempts, m.failures = m.attempts+d.Attempts, m.failures+d.Failures
	}
	m.more = nil
	if len(d.History) > 0 || d.Forgotten > 0 {
		m.more = &more{history: d.History, forgotten: d.Forgotten}
	}
	for _, a := range since.history {
		m.remember(a)
	}
	if since.forgotten > 0 {
		m.more.forgotten += since.forgotten
	}
}

// reset forgets how a message fared.
func (m *message) reset() {
	m.attempts, m.failures, m.more = 0, 0, nil
	m.flags &^= flagAlone
}
