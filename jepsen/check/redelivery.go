package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// The accountant's half of what comes more than once.

// delivered judges a message's deliveries, in its queue and in the dead-letter queue.
func (j *accountant) delivered(m *message) {
	if m.delivered() {
		j.seen++
	}
	for _, x := range []*life{&m.source, &m.dead} {
		j.again += int64(max(0, len(x.deliveries)-1))
		for _, d := range x.deliveries {
			j.one(m, d)
		}
		if len(x.deliveries) > 1 {
			j.repeats(x)
			j.perConsumer(x)
		}
		if len(x.deliveries) > 0 {
			j.caused(m, x)
		}
	}
}

// one judges a delivery by itself.
func (j *accountant) one(m *message, d *history.Op) {
	if d.Redelivered != (d.Attempt > 1) {
		j.v.Add(KindFlag, d.Call, "redelivered is %t: %s", d.Redelivered, d)
	}
	p := m.publish
	if p == nil {
		return
	}
	if d.Call < p.Call {
		j.v.Add(KindEarly, d.Call, "published at %.3fs: %s", float64(p.Call)/1e9, d)
	}
	if d.Queue != p.Queue && d.Queue != p.Queue+deadLetterSuffix && !j.Moved {
		j.v.Add(KindUnexpected, d.Call, "published to %s: %s", p.Queue, d)
	}
	if j.Churn {
		j.resurrected(p, d)
	}
}

// resurrected: the lease was certainly granted after a deletion that certainly
// came after the publish.
func (j *accountant) resurrected(p, d *history.Op) {
	if d.Token == 0 {
		return
	}
	from := j.leases.grants.earliest(d)
	for _, o := range j.sweeps[p.Queue] {
		if o.Kind == history.Delete && o.Outcome == history.OK && p.Outcome == history.OK &&
			p.Return < o.Call && o.Return < from {
			j.v.Add(KindResurrected, d.Call, "its queue was deleted at %.3fs: %s", float64(o.Return)/1e9, d)
			return
		}
	}
}

// repeats: the client library drops a lease that it holds or held, so that no
// handler may see one twice.
func (j *accountant) repeats(x *life) {
	for i, d := range x.deliveries[1:] {
		before := x.deliveries[i]
		switch {
		case d.Token != before.Token:
		case d.Consumer == before.Consumer:
			j.v.Add(KindRepeated, d.Call, "seen at %.3fs: %s", float64(before.Call)/1e9, d)
		default:
			j.v.Add(KindShared, d.Call, "consumer %d had it at %.3fs, and consumer %d: %s",
				before.Consumer, float64(before.Call)/1e9, d.Consumer, d)
		}
	}
}

// perConsumer: a handler that starts late with an older lease is an orderly
// thing at another consumer, which cannot know; at one and the same it is not.
func (j *accountant) perConsumer(x *life) {
	for i, d := range x.deliveries {
		for _, before := range x.deliveries[:i] {
			switch {
			case before.Token == d.Token || before.Call <= d.Call:
			case before.Consumer == d.Consumer:
				j.v.Add(KindBackwards, before.Call, "token %d came first: %s", d.Token, before)
			default:
				j.v.Notes["stale starts"]++
			}
		}
	}
}

// caused: each lease after the first needs something that had ended the one
// before. A lease that no handler saw leaves only its attempt behind.
func (j *accountant) caused(m *message, x *life) {
	var before *history.Op
	for _, d := range x.deliveries {
		switch {
		case d.Token == 0:
			if d.Attempt < 2 && before != nil {
				j.v.Add(KindDuplicated, d.Call, "without acks, and delivered before: %s", d)
			}
		case before != nil && before.Token == d.Token:
			continue // said already
		default:
			j.cause(m, x, before, d)
		}
		before = d
	}
}

func (j *accountant) cause(m *message, x *life, before, d *history.Op) {
	latest := j.leases.grants.latest(d)
	from, unseen := int64(0), d.Attempt-1
	if m.publish != nil {
		from = m.publish.Call
	}
	if before != nil && before.Token != 0 {
		from = j.leases.grants.earliest(before)
		unseen = d.Attempt - before.Attempt - 1
		if unseen < 0 {
			j.v.Add(KindDuplicated, d.Call, "attempt %d was seen at %.3fs: %s", before.Attempt, float64(before.Call)/1e9, d)
			return
		}
		if !endedByAck(x, before) && !j.leases.mayHaveEnded(x, before, latest) {
			j.v.Add(KindDuplicated, d.Call, "nothing had ended token %d of consumer %d, seen at %.3fs: %s",
				before.Token, before.Consumer, float64(before.Call)/1e9, d)
			return
		}
	}
	if unseen > 0 {
		j.v.Notes["unseen attempts"] += int64(unseen)
		if !j.leases.mayHaveBeenLost(d.Queue, from, latest) {
			j.v.Add(KindDuplicated, d.Call, "nothing can have ended the attempt before: %s", d)
		}
	}
}

// endedByAck: what comes after an ack is told as that.
func endedByAck(x *life, d *history.Op) bool {
	for _, s := range x.settles {
		if s.Token == d.Token && s.Outcome == history.OK && ends(s) {
			return true
		}
	}
	return false
}
