package witness

import (
	"fmt"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// compare holds the operations that are placed at the entry just applied
// against what it did.
func (j *judge) compare(next int, index uint64) int {
	all := j.m.judged
	var last *history.Op
	for ; next < len(j.placed); next++ {
		o := &j.run.Ops[j.placed[next]]
		if o.At.Index != index {
			break
		}
		if last != nil && last.At == o.At {
			j.v.Add(KindReused, o.Return, "%s, and %s", last, o)
			continue
		}
		last = o
		for len(all) > 0 && all[0].base+all[0].span <= o.At.Position {
			all = all[1:]
		}
		if len(all) == 0 || all[0].base > o.At.Position {
			if d := j.whole(o); d != nil {
				j.compareOne(o, d)
				continue
			}
			j.v.Add(KindAbsent, o.Return, "%s: the entry decides nothing there", o)
			continue
		}
		j.compareOne(o, &all[0])
	}
	return next
}

// whole finds the settle that was refused as one: it has one place, and its
// items count on from there.
func (j *judge) whole(o *history.Op) *judged {
	for i := range j.m.judged {
		d := &j.m.judged[i]
		n := uint32(len(d.command.Items))
		if d.span == 1 && n > 1 && d.base <= o.At.Position && o.At.Position < d.base+n {
			return d
		}
	}
	return nil
}

func (j *judge) compareOne(o *history.Op, d *judged) {
	j.compared++
	i := int(o.At.Position - d.base)
	if what := mismatch(o, d.command, i); what != "" {
		j.v.Add(KindContent, o.Return, "%s: %s is there", o, what)
		return
	}
	want := d.result.item(i)
	switch {
	case o.Outcome == history.Unknown || o.Outcome == history.Pending:
	case o.Outcome == history.OK && !want.ok():
		j.v.Add(KindOutput, o.Return, "%s: the log refuses it: %s %s", o, want.code, want.cause)
	case o.Outcome == history.Fail && want.ok():
		j.v.Add(KindOutput, o.Return, "%s: the log accepts it", o)
	case o.Outcome == history.Fail && !sameRefusal(o, want):
		j.v.Add(KindOutput, o.Return, "%s %s: the log says %s %s", o, o.Cause, want.code, want.cause)
	case o.Outcome == history.OK && o.Kind == history.Purge && o.Value != d.result.value:
		j.v.Add(KindOutput, o.Return, "%s: of %d messages, the log says %d", o, o.Value, d.result.value)
	}
}

// sameRefusal: of a malformed message the log does not tell what is wrong.
func sameRefusal(o *history.Op, want verdict) bool {
	if want.code == codeInvalid && o.Kind == history.Publish {
		return o.Code == codeInvalid || o.Code == codeTooLarge || o.Code == "unsupported"
	}
	return (o.Code == "" || o.Code == want.code) && (o.Cause == "" || o.Cause == want.cause)
}

// mismatch says what is in the log in place of the operation, "" if it is it.
func mismatch(o *history.Op, c *history.Command, i int) string {
	kind := c.Kind
	switch o.Kind {
	case history.Publish:
		if kind != "publish" || c.Queue != o.Queue {
			break
		}
		if key, err := history.ParseKey([]byte(c.Bodies[min(i, len(c.Bodies)-1)])); err != nil || key != o.Key {
			return fmt.Sprintf("message %s", key)
		}
		return ""
	case history.Ack, history.Nack, history.Reject, history.Extend:
		if kind != "settle" {
			break
		}
		it := c.Items[min(i, len(c.Items)-1)]
		if it.Token != o.Token || it.Action != string(o.Kind) {
			return fmt.Sprintf("%s of token %d", it.Action, it.Token)
		}
		return ""
	case history.Create, history.Update, history.Delete, history.Purge:
		if kind == "queue"+string(o.Kind) && c.Queue == o.Queue {
			return ""
		}
	case history.Pause, history.Resume:
		if kind == "queuepause" && c.Queue == o.Queue && c.Paused == (o.Kind == history.Pause) {
			return ""
		}
	}
	return fmt.Sprintf("%s %s", kind, c.Queue)
}
