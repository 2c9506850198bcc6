package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// The accountant's half of how messages end.

// settled judges the settles of a message, and what came after them.
func (j *accountant) settled(m *message) {
	for _, x := range []*life{&m.source, &m.dead} {
		var by *history.Op
		for _, s := range x.settles {
			if s.Outcome != history.OK || !ends(s) || s.Token == 0 {
				continue
			}
			if by != nil {
				j.v.Add(KindTwice, s.Call, "settled at %.3fs by token %d: %s", float64(by.Return)/1e9, by.Token, s)
				continue
			}
			by = s
		}
		if by != nil {
			j.afterAck(x, by)
		}
	}
	if !m.delivered() {
		return
	}
	switch {
	case j.over(m):
		j.done++
	case j.Churn && j.swept(m):
		j.v.Notes["swept"]++
	case j.run.Drained != 0:
		j.v.Add(KindUnsettled, first(m).Call, "%s is gone, and nobody settled it: %s", m.key, first(m))
	}
}

// afterAck: once an ack was answered ok, no token above it can exist. A handler
// that starts with it once more is a repeat, and said as that.
func (j *accountant) afterAck(x *life, by *history.Op) {
	for _, d := range x.deliveries {
		if d.Token > by.Token {
			j.v.Add(KindAfterAck, d.Call, "%s was answered ok at %.3fs: %s", by.Kind, float64(by.Return)/1e9, d)
		}
	}
}

// over tells whether somebody may have settled the message for good: in the
// dead-letter queue, if that is where it was seen last.
func (j *accountant) over(m *message) bool {
	x := &m.source
	if len(m.dead.deliveries) > 0 {
		x = &m.dead
	}
	for _, d := range x.deliveries {
		if d.Token == 0 {
			return true
		}
	}
	for _, s := range x.settles {
		if ends(s) && maybe(s) {
			return true
		}
	}
	// Dead by its failures, and nobody reads dead letters.
	return x == &m.source && j.FailureLimit > 0 && !j.DeadLetters && x.failures()+1 >= j.FailureLimit
}

// failures is how many a message had when it was delivered last.
func (x *life) failures() (most int) {
	for _, d := range x.deliveries {
		most = max(most, d.Failures)
	}
	return most
}

// died judges the way into the dead-letter queue.
func (j *accountant) died(m *message) {
	var rejected, maybeRejected *history.Op
	for _, s := range m.source.settles {
		if s.Kind != history.Reject || !maybe(s) {
			continue
		}
		maybeRejected = s
		if s.Outcome == history.OK {
			rejected = s
		}
	}
	if len(m.dead.deliveries) == 0 {
		if rejected != nil && j.DeadLetters && j.run.Drained != 0 && !(j.Churn && j.swept(m)) {
			j.v.Add(KindLost, rejected.Call, "never delivered from the dead-letter queue: %s", rejected)
		}
		return
	}
	j.deads++
	d := m.dead.deliveries[0]
	switch {
	case d.Dead == "rejected" && maybeRejected != nil && maybeRejected.Call <= d.Call:
	case d.Dead == "failures" && j.FailureLimit > 0:
	default:
		j.v.Add(KindDeadCause, d.Call, "dead by %q: %s", d.Dead, d)
	}
	for _, s := range m.source.deliveries {
		if s.Token > d.Token {
			j.v.Add(KindAfterDead, s.Call, "dead letter at %.3fs: %s", float64(d.Call)/1e9, s)
		}
	}
}
