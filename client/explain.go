package client

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Explanation is why a queue hands out nothing, or less than it could.
type Explanation struct {
	Queue   string
	Reasons []Reasoned // the most important first; none: nothing holds it up
}

// Reasoned is one cause of that.
type Reasoned struct {
	Kind  string    // one of the Explain constants of package transport, "no_credit" for example; there may be new ones
	Text  string    // for people
	Count uint64    // messages, consumers or groups that it concerns; 0 if that says nothing
	Until time.Time // when it ends by itself, estimated; zero: it does not, or nobody knows
	Name  string    // what it is about: a queue, a message group, a node, a consumer as "session/number"; "" for nothing
	// TakesBytes, of kinds "missed" and "topic_refuses", is the size of the largest
	// message that the subscription takes now, -1 if it takes none: the queue that
	// was asked for, or the one in Name. 0 for other kinds.
	TakesBytes int64
}

// Explain tells why a queue hands out nothing.
func (c *Conn) Explain(ctx context.Context, queue string, opts ...ReadOption) (Explanation, error) {
	if err := checkQueue("explain", queue); err != nil {
		return Explanation{}, err
	}
	var reply transport.ExplainReply
	err := c.query(ctx, "explain", transport.Query{Kind: transport.QueryExplain, Name: queue}, &reply, opts)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Queue: reply.Queue}
	for _, r := range reply.Reasons {
		e.Reasons = append(e.Reasons, Reasoned{Kind: r.Kind, Text: r.Text, Count: r.Count, Until: timeOf(r.AtMs), Name: r.Name, TakesBytes: r.TakesBytes})
	}
	return e, nil
}

// Trace is the life of a message, as far back as the node remembers that answered.
type Trace struct {
	ID     MessageID
	Events []TraceEvent // the oldest first
	// FromIndex: everything since this entry of the log is remembered, and
	// From is its time, zero while nothing was forgotten.
	FromIndex uint64
	From      time.Time
}

// TraceEvent is one thing that happened to a message.
type TraceEvent struct {
	Index    uint64 // of the log's entry
	At       time.Time
	Queue    string
	Kind     string // one of the Trace constants of package transport, "delivered" for example; there may be new ones
	Token    uint64
	Session  [16]byte // of the consumer; if Consumer is 0, whose operation did it; zero: none did
	Consumer uint32
	Node     string // through which the session was attached
	Detail   string
}

// Trace tells what became of a message, even after it is gone.
func (c *Conn) Trace(ctx context.Context, id MessageID, opts ...ReadOption) (Trace, error) {
	var reply transport.TraceReply
	body := transport.TraceQuery{Index: id.Index, Position: id.Position}
	err := c.query(ctx, "trace", transport.Query{
		Kind: transport.QueryTrace, Name: id.String(), Group: id.Group, Body: body.AppendTo(nil),
	}, &reply, opts)
	if err != nil {
		return Trace{}, err
	}
	t := Trace{ID: id, FromIndex: reply.FromIndex, From: timeOf(reply.FromMs)}
	for _, e := range reply.Events {
		t.Events = append(t.Events, TraceEvent{
			Index: e.Index, At: timeOf(e.WallMs), Queue: e.Queue, Kind: e.Kind, Token: e.Token,
			Session: e.Session, Consumer: e.Consumer, Node: e.Node, Detail: e.Detail,
		})
	}
	return t, nil
}
