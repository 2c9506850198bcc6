package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// op is a command on its way: who is to be told what became of it. Exactly
// one of conn, peer and again is set.
type op struct {
	conn   *conn
	handle *handle // of conn; nil for Open
	stream uint32  // of the request on conn

	peer   *peer  // that forwarded the command
	number uint64 // under which it did; on a lane that forwards: under which this node did

	again *owed // of the broker itself

	gone  bool // answered out of turn, on a lane that forwards
	grows bool // of conn: it needs room, which an alarm refuses
	kind  fsm.Kind
	items uint32 // messages, settles or messages amended
	cost  int32  // bytes that conn counts for it
	bytes int32  // of the command
	since int64  // broker time, nanoseconds
}

// owed is a command of the broker itself, repeated until it is judged.
type owed struct {
	kind    fsm.Kind
	command []byte
}

// batch is a run of commands that become one entry, or travel in one PeerSubmit.
type batch struct {
	commands []byte
	ops      []op
}

// refusal is the answer to an operation that never reached the state machine
// or whose outcome is not known.
func refusal(code transport.Code, detail string) transport.Result {
	r := transport.Result{Code: code, Detail: detail}
	if code.Retryable() {
		r.RetryAfterMs = retryAfterMillis
	}
	return r
}

// resultOf puts a verdict of the state machine into the protocol's words.
func resultOf(r *fsm.Result) transport.Result {
	out := transport.Result{
		Code:         transport.Code(r.Code),
		Cause:        transport.Cause(r.Cause),
		RetryAfterMs: r.RetryAfterMillis,
		Index:        r.Index,
		Position:     r.Position,
		Value:        r.Value,
		Detail:       r.Detail,
	}
	if len(r.Items) > 0 {
		out.Items = make([]transport.Verdict, len(r.Items))
		for i, v := range r.Items {
			out.Items[i] = transport.Verdict{
				Code: transport.Code(v.Code), Cause: transport.Cause(v.Cause), RetryAfterMs: v.RetryAfterMillis,
				FirstIndex: v.FirstIndex, FirstPosition: v.FirstPosition,
			}
		}
	}
	return out
}
