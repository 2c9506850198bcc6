package logentry

import (
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// bodyMax is how much of a message's body is printed.
const bodyMax = 64

// messages reads the records. A malformed one is printed without a body and
// with the size -1.
func messages(records []byte, count uint32) (all history.Messages) {
	cursor := wire.NewCursor(records)
	for range count {
		body, size, attributes := message(cursor.Bytes())
		if cursor.Err() != nil {
			break
		}
		all.Bodies, all.Sizes = append(all.Bodies, body), append(all.Sizes, size)
		all.Attributes = append(all.Attributes, attributes)
	}
	if cursor.Done() != nil { // refused as a whole
		for i := range all.Bodies {
			all.Bodies[i], all.Sizes[i] = "", -1
		}
		all.Attributes = nil
	}
	if !slices.ContainsFunc(all.Attributes, func(a history.Attributes) bool { return a != history.Attributes{} }) {
		all.Attributes = nil
	}
	return all
}

func message(b []byte) (body string, size int, a history.Attributes) {
	var info record.Info
	if err := info.Peek(b); err != nil {
		return "", -1, a
	}
	a = attributes(&info)
	v, err := record.Parse(b)
	if err != nil {
		return "", info.Logical, a
	}
	head := v.Body()
	head = head[:min(len(head), bodyMax)]
	return text(head), info.Logical, a
}

// text is what can be printed of bytes that should be one.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

func attributes(i *record.Info) (a history.Attributes) {
	has := i.Present.Has
	if has(record.TagPriority) {
		priority := i.Priority
		a.Priority = &priority
	}
	a.Group, a.DedupID = textIf(has(record.TagGroupKey), i.Group), textIf(has(record.TagDedupID), i.DedupID)
	a.Tenant, a.Subject = textIf(has(record.TagTenant), i.Tenant), textIf(has(record.TagSubject), i.Subject)
	a.ReplyTo = textIf(has(record.TagReplyTo), i.ReplyTo)
	a.TTLMillis, a.DelayMillis = timeIf(has(record.TagTTL), i.TTLMillis), timeIf(has(record.TagDelay), i.DelayMillis)
	a.DeliverAtMillis = timeIf(has(record.TagDeliverAt), i.DeliverAtMillis)
	a.DeadlineMillis = timeIf(has(record.TagDeadline), i.DeadlineMillis)
	return a
}

func textIf(present bool, b []byte) string {
	if !present {
		return ""
	}
	return text(b)
}

func timeIf(present bool, millis uint64) uint64 {
	if !present {
		return 0
	}
	return millis
}

func items(all []fsm.SettleItem) []history.Item {
	out := make([]history.Item, len(all))
	for i, s := range all {
		out[i] = history.Item{Incarnation: s.Incarnation, Place: s.Place, Token: s.Token,
			Action: named(actions[:], uint8(s.Action)), Reason: named(reasons[:], uint8(s.Reason)),
			DelayMillis: s.DelayMillis, Error: s.Error}
	}
	return out
}
