package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// publish judges the messages one by one, in order. An ordered publish is all
// or nothing.
func (m *Model) publish(x *fsm.Publish, c Command, got fsm.Result) Outcome {
	drafts := c.Drafts
	q, n := m.queues[x.Queue], int(x.Count)
	switch {
	case q == nil:
		return answer(fsm.NotFound)
	case q.dlq == nil || n == 0:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	case c.Broken:
		return answer(fsm.Invalid)
	case total(drafts) > fsm.MaxOperationBytes:
		return answer(fsm.TooLarge)
	}
	items := make([]fsm.Verdict, n)
	messages, bytes := uint64(len(q.messages)), q.bytes()
	for i, d := range drafts {
		items[i] = verdict(q.settings, d, messages, bytes)
		if items[i].Code == fsm.OK {
			messages, bytes = messages+1, bytes+d.Size
		}
	}
	o := Outcome{Items: items}
	if x.Ordered && !o.accepted() {
		return allOrNothing(q, drafts)
	}
	for i, d := range drafts {
		if items[i].Code == fsm.OK {
			id := fsm.ID{Group: m.group, Index: m.index, Position: got.Position + uint32(i)}
			q.add(&message{id: id, record: d.Record, size: d.Size, entered: m.clock.WallMillis})
		}
	}
	return o
}

// allOrNothing tells why an ordered publish is refused as a whole: its first
// faulty message, or the limit that the queue would be past after all of them.
func allOrNothing(q *queue, drafts []Draft) Outcome {
	o := Outcome{Code: fsm.Busy, Cause: fsm.CauseBytes}
	for _, d := range drafts {
		if d.Fault != fsm.OK {
			o.Code, o.Cause = d.Fault, fsm.CauseNone
			return o
		}
	}
	if limit := q.settings.MaxMessages; limit > 0 && uint64(len(q.messages)+len(drafts)) > limit {
		o.Cause = fsm.CauseMessages
	}
	return o
}

// total size of the messages that are not refused for themselves.
func total(drafts []Draft) (n uint64) {
	for _, d := range drafts {
		if d.Fault == fsm.OK {
			n += d.Size
		}
	}
	return n
}

func verdict(s fsm.Settings, d Draft, messages, bytes uint64) fsm.Verdict {
	switch {
	case d.Fault != fsm.OK:
		return fsm.Verdict{Code: d.Fault}
	case s.MaxMessages > 0 && messages+1 > s.MaxMessages:
		return fsm.Verdict{Code: fsm.Busy, Cause: fsm.CauseMessages}
	case s.MaxBytes > 0 && bytes+d.Size > s.MaxBytes:
		return fsm.Verdict{Code: fsm.Busy, Cause: fsm.CauseBytes}
	}
	return fsm.Verdict{Code: fsm.OK}
}
