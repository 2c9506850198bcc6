package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// toil is what an entry has done of what is bounded in each. An attempt that
// fails does not take it back: it was done all the same.
type toil struct{ lines, fanOut, held int }

// affords books n more, unless that is beyond what an entry does after the first.
func affords(done *int, n, most int) bool {
	if n > 0 && *done > 0 && *done+n > most {
		return false
	}
	*done += n
	return true
}

// reorders tells whether new settings ask for a look at all lines.
func (q *queue) reorders(s fsm.Settings) bool {
	was := q.settings
	return s.GroupBatch != was.GroupBatch || s.GroupFailure != was.GroupFailure || s.Exclusive != was.Exclusive
}

// spread is how many subscriptions get the messages of a publish.
func (m *Model) spread(to target, drafts []Draft) (n int) {
	if to.topic == nil {
		return 0
	}
	for _, d := range drafts {
		for _, q := range m.subscriptions(to.topic) {
			if m.fault(to, d) == fsm.OK && matches(q.subject.asked.Filter, d.Subject) {
				n++
			}
		}
	}
	return n
}

// leases counts what is leased of a queue.
func (q *queue) leases() (n int) {
	for _, msg := range q.messages {
		if msg.status == leased {
			n++
		}
	}
	return n
}

// holdings counts a session's consumers, and what they have.
func (s *session) holdings() (n int) {
	for _, c := range s.consumerList() {
		n += 1 + len(c.held)
	}
	return n
}

func (q *queue) parksGroups() bool {
	_, parked := q.groups()
	return parked > 0
}

// linesKept is how many lines a purge goes through, and tenants by name.
func (q *queue) linesKept() (n int) {
	tenants := map[string]bool{}
	for _, l := range q.lines {
		if !l.plain() && q.lives(l) {
			tenants[l.tenant] = true
		}
	}
	for name, weight := range q.weights {
		if weight > 1 {
			tenants[name] = true
		}
	}
	delete(tenants, "")
	if q.leases() > 0 {
		n = q.otherLines()
	}
	return n + len(tenants)
}
