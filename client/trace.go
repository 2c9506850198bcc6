package client

import "github.com/ferrymq/ferrymq/transport"

// Answer is the end of one operation: what was asked under which number, and
// where in the log of its group it took effect. An operation is the messages
// of one frame for one queue, the settles of one frame, a Tx, a request, a
// reply, or one change of a queue, a consumer, a topic or of messages.
type Answer struct {
	Op       string // "publish", "settle", "commit", "request", "reply", "create queue", "move messages", ...
	Resource string // the queue or topic; "" for settles; the first one that a Tx publishes to
	Session  [16]byte
	Group    uint32
	Number   uint64
	Sends    int // 1, and more when the answer was lost or late

	// Index and Position say where it took effect; message i of a publish has
	// Position+i. Index is 0 for what certainly took no effect, and for what
	// nobody knows.
	Index    uint64
	Position uint32
	Code     transport.Code
	// Codes has one for each message, settle or amended message, or none when
	// all have Code. Of a Tx it has one for each message.
	Codes   []transport.Code
	Tokens  []uint64 // of the deliveries that were settled, in order; of a reply's
	Actions []transport.Action
	// Publishes of a Tx, in order: message i of all has Position+i.
	Publishes []AnsweredPublish
	Amended   []MessageRef // of what operators do to messages
}

// AnsweredPublish is what a Tx published to one queue or topic.
type AnsweredPublish struct {
	Queue    string
	Messages int
}

// WithAnswerFunc is told of every operation that was answered, before its
// caller is. It is for tracing and tests: it runs on the goroutine that runs
// the connection and must neither block nor call the Conn.
func WithAnswerFunc(f func(Answer)) Option { return func(o *options) { o.answerFunc = f } }

// traced tells the answer function of an operation that r, if there is one, ended.
func (m *manager) traced(op *operation, p payload, r *transport.Result) {
	if m.opts.answerFunc == nil || r == nil {
		return
	}
	a := Answer{
		Session: m.session.id, Group: m.session.group, Number: op.number, Sends: op.sends,
		Index: r.Index, Position: r.Position, Code: r.Code,
	}
	for _, v := range r.Items {
		a.Codes = append(a.Codes, v.Code)
	}
	switch p := p.(type) {
	case *batch:
		a.Op, a.Resource = "publish", p.lane.queue
	case unconfirmed:
		a.Op, a.Resource = "publish", p.lane.queue
	case *settleBatch:
		a.Op = "settle"
		for _, item := range p.list {
			a.Tokens = append(a.Tokens, item.Token)
			a.Actions = append(a.Actions, item.Action)
		}
	case *control:
		a.Op, a.Resource = p.name, p.resource
		if p.describe != nil {
			p.describe(&a)
		}
	}
	m.opts.answerFunc(a)
}
