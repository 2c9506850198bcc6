package client

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// Bounds of a batch. One that is full is sent however many are unanswered.
const (
	batchMessages = transport.MessagesMax
	batchBytes    = 256 << 10
	// laneInFlight unanswered batches of a queue let the next one grow: what
	// piles up meanwhile goes into one frame. The nodes do the same with entries.
	laneInFlight = 2
	// pooledBytes is the largest buffer kept for reuse.
	pooledBytes = 2 * batchBytes
)

// laneKey tells lanes apart: what is sent once, see PublishUnconfirmed, has one
// of its own for each queue.
type laneKey struct {
	queue string
	once  bool
}

// lane is the messages for one queue that wait, in order.
type lane struct {
	laneKey
	batches  []*batch // waiting; the last one may grow
	inFlight int      // sent and unanswered
	listed   bool     // in the outbox's ready list
}

// batch is the messages of one Publish frame. The outbox's mutex guards it,
// but what was sent or is over no longer changes and may be read without.
//
// The messages of a batch are all asynchronous or all waited for: the former
// are told in order, by the notifier, and the latter can be taken back one by
// one while the batch waits.
type batch struct {
	lane     *lane
	async    bool
	alone    bool   // takes one message: its caller wants to know what became of just that
	records  []byte // msgpack binaries back to back, kept for resends
	messages []message
	gone     int // messages taken back
	gen      *generation
	deadline time.Time // of an asynchronous batch

	sent     bool
	finished bool // answered, or given up by the session
	over     bool // the outcome is set: result, or err
	result   transport.Result
	group    uint32
	node     string
	err      *Error

	notified  int // messages told
	owed      int // messages told before it was finished: they hold their room
	owedBytes int
}

// message is one of a batch.
type message struct {
	size  int                  // in records
	done  func(Receipt, error) // asynchronous, may be nil
	call  *call                // waited for; nil when taken back or told
	index int                  // in the call
}

// call is a Publish or PublishBatch that waits. The outbox's mutex guards it.
type call struct {
	results []PublishResult
	places  []place // where each message is, zero once it is told
	left    int
	over    chan struct{} // closed when none is left
}

type place struct {
	batch *batch
	index int
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch(l *lane, async bool, gen *generation) *batch {
	b := batches.Get().(*batch)
	*b = batch{lane: l, async: async, gen: gen, records: b.records[:0], messages: b.messages[:0]}
	return b
}

// recycle gives the batch's memory back. Nobody may hold it any more.
func (b *batch) recycle() {
	if cap(b.records) > pooledBytes {
		return
	}
	clear(b.messages) // lets go of callbacks
	*b = batch{records: b.records[:0], messages: b.messages[:0]}
	batches.Put(b)
}

// takes tells whether a message of that size fits.
func (b *batch) takes(async bool, size, limit int) bool {
	return b.async == async && !b.alone && len(b.messages) < limit && len(b.records)+size <= batchBytes
}

func (b *batch) full(limit int) bool {
	return b.alone || len(b.messages) >= limit || len(b.records) >= batchBytes
}

// add encodes the message at the end of the batch.
func (b *batch) add(m *record.Message, size int) error {
	start := len(b.records)
	out, err := record.Append(wire.AppendBytesLen(b.records, size), m)
	if err != nil {
		b.records = out[:start]
		return err
	}
	b.records = out
	return nil
}

// compact leaves only the messages that were not taken back.
func (b *batch) compact() {
	if b.gone == 0 {
		return
	}
	from, to, kept := 0, 0, b.messages[:0]
	for _, m := range b.messages {
		if m.call != nil {
			copy(b.records[to:], b.records[from:from+m.size])
			to += m.size
			m.call.places[m.index] = place{b, len(kept)}
			kept = append(kept, m)
		}
		from += m.size
	}
	b.messages, b.records, b.gone = kept, b.records[:to], 0
}

// outcome of message i.
func (b *batch) outcome(i int) (Receipt, error) {
	if b.err != nil {
		return Receipt{}, b.err
	}
	v := transport.Verdict{Code: b.result.Code, Cause: b.result.Cause, RetryAfterMs: b.result.RetryAfterMs}
	if i < len(b.result.Items) {
		v = b.result.Items[i]
	}
	if !v.Code.Accepted() {
		detail := b.detailOf(i, v.Code)
		if detail == "" && v.Code == transport.CodeConflict {
			detail = "its DedupID was used with other content"
		}
		return Receipt{}, verdictError("publish", b.lane.queue, b.node, v, detail)
	}
	return receiptOf(b.group, &b.result, i, len(b.messages), v), nil
}

// detailOf is what the result says of message i, which was refused with code.
// There is one text for the whole frame, in which messages of several callers
// may be: it is about the message that it numbers, or, without a number, about
// those that found something full.
func (b *batch) detailOf(i int, code transport.Code) string {
	text := b.result.Detail
	all := len(b.result.Items) == 0
	if numbered, found := strings.CutPrefix(text, "message "); found {
		number, rest, _ := strings.Cut(numbered, ": ")
		if n, err := strconv.Atoi(number); err == nil && n == i {
			return rest
		}
	} else if code == transport.CodeBusy {
		return text
	}
	if all {
		return text
	}
	return ""
}

// receiptOf is for message i of n that an operation published.
func receiptOf(group uint32, r *transport.Result, i, n int, v transport.Verdict) Receipt {
	receipt := Receipt{
		ID:        MessageID{Group: group, Index: r.Index, Position: r.Position + uint32(i)},
		Duplicate: v.Code == transport.CodeDuplicate,
		Dropped:   v.Code == transport.CodeDropped,
		Queues:    int(r.Value),
	}
	if n > 1 && r.Value > 0 {
		receipt.Queues = -1
	}
	if v.FirstIndex != 0 {
		receipt.First = MessageID{Group: group, Index: v.FirstIndex, Position: v.FirstPosition}
	}
	return receipt
}

func (b *batch) opcode() transport.Op { return transport.OpPublish }
func (b *batch) items() int           { return len(b.messages) }
func (b *batch) size() int            { return len(b.records) }

func (b *batch) appendTo(dst []byte, h transport.OpHeader) []byte {
	return transport.Publish{
		OpHeader: h, Queue: b.lane.queue, Count: uint32(len(b.messages)), Records: b.records,
	}.AppendTo(dst)
}
