package witness

import "github.com/ferrymq/ferrymq/jepsen/history"

// Codes and causes, by the names that clients are told.
const (
	codeOK             = "ok"
	codeAlreadyDone    = "already_done"
	codeLeaseLost      = "lease_lost"
	codeBusy           = "busy"
	codeConflict       = "conflict"
	codeNotFound       = "not_found"
	codeOvertaken      = "overtaken"
	codeOutOfOrder     = "out_of_order"
	codeSessionExpired = "session_expired"
	codeFenced         = "fenced"
	codeTooLarge       = "too_large"
	codeInvalid        = "invalid"
	codeInUse          = "in_use"

	causeMessages     = "messages"
	causeBytes        = "bytes"
	causeWindow       = "window"
	causeSessions     = "sessions"
	causeExpired      = "expired"
	causeSettled      = "settled"
	causeSessionEnded = "session_ended"
	causeQueueGone    = "queue_gone"
	causeNotHolder    = "not_holder"
	causeUnknownToken = "unknown_token"
)

// verdict on one message or settle.
type verdict struct{ code, cause string }

// result of a command, and where in the log it was judged. A command that was
// not judged has no index.
type result struct {
	verdict
	index uint64
	base  uint32 // its first position
	value uint64
	items []verdict // one for each, nil when all are the verdict
}

// item is the verdict on the i-th message or settle.
func (r *result) item(i int) verdict {
	if r.items == nil {
		return r.verdict
	}
	return r.items[i]
}

func refuse(code string) result           { return result{verdict: verdict{code: code}} }
func refuseFor(code, cause string) result { return result{verdict: verdict{code, cause}} }
func accept(value uint64) result          { return result{verdict: verdict{code: codeOK}, value: value} }
func (v verdict) ok() bool                { return v.code == codeOK }

// judged is a numbered command that was judged in the entry at hand.
type judged struct {
	command *history.Command
	base    uint32 // its positions are base to base+span-1
	span    uint32
	result  result
}

// model is what the log makes of queues, sessions and messages. It is a
// function of the log alone: clocks are the entries', and nothing is drawn.
//
// Every entry has the same frame: clocks, commands in their order, what ran
// out, dead letters that waited for room, and one hand-out for each queue that
// was touched, in the order in which they were.
type model struct {
	index uint64
	lease int64 // the lease clock

	tokens       uint64
	incarnations uint64
	serials      uint64

	queues   map[uint64]*queue // by incarnation
	names    map[string]*queue
	sessions map[string]*session // by id
	roster   []*session          // in the order of their opening, those that end included
	timers   timers
	waiting  map[uint64]*queue // that have parked messages, by incarnation

	// foreign is the first thing in the log that the model does not know. It
	// stops there.
	foreign string

	// Of the entry at hand.
	position uint32
	touched  []*queue
	ended    int // leases ended by time
	judged   []judged
	stored   []*message // messages that it accepted

	grants []grant // by token; the first is none
	taken  map[taking]uint64
	watch  map[string][]counted // of queues whose counts are wanted
	dirty  []*queue
}

func newModel() *model {
	return &model{
		queues: map[uint64]*queue{}, names: map[string]*queue{}, sessions: map[string]*session{},
		waiting: map[uint64]*queue{}, grants: make([]grant, 1), taken: map[taking]uint64{},
		watch: map[string][]counted{},
	}
}

// apply carries out one committed entry.
func (m *model) apply(e *history.Entry) {
	m.judged, m.stored, m.touched, m.dirty = m.judged[:0], m.stored[:0], m.touched[:0], m.dirty[:0]
	if e.Void || e.WallMillis == 0 && e.LeaseMillis == 0 && len(e.Commands) == 0 {
		return // no effect, or Raft's own
	}
	m.index = e.Index
	m.lease = max(m.lease, e.LeaseMillis)
	m.position, m.ended = 0, 0
	for i := range e.Commands {
		if m.foreign = foreign(&e.Commands[i]); m.foreign != "" {
			return
		}
		m.command(&e.Commands[i])
	}
	m.expire()
	m.moveParked()
	for _, q := range m.touched {
		if !q.gone {
			m.handOut(q)
		}
	}
	m.note()
}

func (m *model) command(c *history.Command) {
	switch c.Kind {
	case "publish":
		m.operation(c, len(c.Sizes), m.publish)
	case "settle":
		m.operation(c, len(c.Items), m.settle)
	case "consume":
		m.operation(c, 0, m.consume)
	case "cancel":
		m.operation(c, 0, m.cancel)
	case "queuecreate":
		m.operation(c, 0, m.create)
	case "queueupdate":
		m.operation(c, 0, m.update)
	case "queuedelete":
		m.operation(c, 0, m.remove)
	case "queuepurge":
		m.operation(c, 0, m.purge)
	case "queuepause":
		m.operation(c, 0, m.pause)
	default:
		m.unnumbered(c)
		m.position++
	}
}

// unnumbered commands are repeated without harm. What else there is, the
// machine's version or a checkpoint, changes nothing here.
func (m *model) unnumbered(c *history.Command) {
	switch c.Kind {
	case "leader":
		m.detachAll(func(*session) bool { return true })
	case "detachnode":
		m.detachAll(func(x *session) bool { return x.node == c.Node })
	case "open":
		m.open(c)
	case "attach":
		m.attach(c)
	case "detach":
		m.detach(c)
	case "end":
		m.end(c)
	case "credit":
		m.credit(c)
	}
}

func (m *model) touch(q *queue) {
	if q.touchedAt != m.index {
		q.touchedAt = m.index
		m.touched = append(m.touched, q)
	}
}

func (m *model) serial() uint64 {
	m.serials++
	return m.serials
}
