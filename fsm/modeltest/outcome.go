package modeltest

import (
	"fmt"
	"reflect"

	"github.com/ferrymq/ferrymq/fsm"
)

// Outcome is what a command must answer. Texts and times to wait are the
// machine's own; everything else is compared.
type Outcome struct {
	Code  fsm.Code
	Cause fsm.Cause
	Index uint64
	Value uint64
	Items []fsm.Verdict // of each item; nil: the command has none, or was refused whole

	First *fsm.Result // of a repeat: what the machine answered first
}

func answer(code fsm.Code) Outcome { return Outcome{Code: code} }

func busy(cause fsm.Cause) Outcome { return Outcome{Code: fsm.Busy, Cause: cause} }

// accepted: an answer that says that the item was taken.
func accepted(c fsm.Code) bool { return c == fsm.OK || c == fsm.Duplicate || c == fsm.Dropped }

// differs says how a result is not the outcome; "" if it is.
func (o Outcome) differs(r fsm.Result) string {
	if o.First != nil && !reflect.DeepEqual(*o.First, r) {
		return fmt.Sprintf("a repeat is answered %+v, not %+v as at first", r, *o.First)
	}
	if o.Items == nil {
		return o.differsPlain(r)
	}
	if len(r.Items) != 0 && len(r.Items) != len(o.Items) {
		return fmt.Sprintf("%d verdicts on %d items", len(r.Items), len(o.Items))
	}
	if r.Index != o.Index || r.Value != o.Value {
		return fmt.Sprintf("index %d, value %d, want %d, %d", r.Index, r.Value, o.Index, o.Value)
	}
	for i, want := range o.Items {
		got := fsm.Verdict{Code: r.Code, Cause: r.Cause, RetryAfterMillis: r.RetryAfterMillis}
		if len(r.Items) > 0 {
			got = r.Items[i]
		}
		if got.Code != want.Code || !isCause(got.Cause, want.Cause) || got.FirstIndex != want.FirstIndex || got.FirstPosition != want.FirstPosition {
			return fmt.Sprintf("item %d: %+v (%s), want %+v", i, got, r.Detail, want)
		}
		if (got.RetryAfterMillis > 0) != (got.Code == fsm.Busy) {
			return fmt.Sprintf("item %d: code %d with retry_after %d", i, got.Code, got.RetryAfterMillis)
		}
	}
	return ""
}

func (o Outcome) differsPlain(r fsm.Result) string {
	switch {
	case r.Code != o.Code || !isCause(r.Cause, o.Cause):
		return fmt.Sprintf("code %d cause %d (%s), want %d %d", r.Code, r.Cause, r.Detail, o.Code, o.Cause)
	case r.Value != o.Value:
		return fmt.Sprintf("value %d, want %d", r.Value, o.Value)
	case r.Index != o.Index:
		return fmt.Sprintf("index %d, want %d", r.Index, o.Index)
	case len(r.Items) != 0:
		return fmt.Sprintf("%d verdicts on a command without items", len(r.Items))
	case (r.RetryAfterMillis > 0) != (r.Code == fsm.Busy):
		return fmt.Sprintf("code %d with retry_after %d", r.Code, r.RetryAfterMillis)
	}
	return ""
}

// causeLimit is either limit of a queue.
const causeLimit fsm.Cause = 254

func isCause(got, want fsm.Cause) bool {
	if want == causeLimit {
		return got == fsm.CauseMessages || got == fsm.CauseBytes
	}
	return got == want
}
