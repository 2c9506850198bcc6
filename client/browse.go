package client

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// MessageState of a message in a queue.
type MessageState uint8

const (
	Ready     = MessageState(transport.MessageReady)
	Leased    = MessageState(transport.MessageLeased)
	Parked    = MessageState(transport.MessageParked)    // dead, but the dead-letter queue is full
	Scheduled = MessageState(transport.MessageScheduled) // not due yet
	Retrying  = MessageState(transport.MessageRetrying)  // waits for its next attempt
)

func (s MessageState) String() string {
	return nameOf(s, "none", "ready", "leased", "parked", "scheduled", "retrying")
}

// Filter of messages in a queue: every condition that is not zero has to hold.
type Filter struct {
	States      []MessageState // any of these
	ID          MessageID
	Header      string // has this header
	HeaderValue string // and with this value
	Group       string
	Tenant      string
	OlderThan   time.Duration // was enqueued at least so long ago
	YoungerThan time.Duration // was enqueued at most so long ago
	// Reason that a dead letter, or a parked message, died for, as in Death. It
	// is looked at here, not by the node.
	Reason string
}

// MessageRef names a message in a queue, for what changes it. The id, as a
// Receipt tells it, is enough: without the place, the whole queue is looked
// through for it first.
type MessageRef struct {
	Place uint64 // in the queue; 0: not known
	ID    MessageID
}

// BrowsedMessage is a message in a queue as it was when it was looked at.
type BrowsedMessage struct {
	MessageRef
	State      MessageState
	Bytes      int // of headers and body
	Attempts   int
	Failures   int
	EnqueuedAt time.Time
	ReadyAt    time.Time // scheduled, retrying: when it is due; else zero
	ExpiresAt  time.Time // zero: never
	Priority   uint8
	Group      string
	Tenant     string
	Alone      bool // blamed for a crash: it is leased only alone

	// Of a leased message.
	Token      uint64
	Session    [16]byte
	Consumer   uint32
	LeaseUntil time.Time

	Death     *Death    // of a dead letter, or a parked message
	History   []Attempt // of one that is not dead: the last 16 attempts, oldest first
	Forgotten int       // attempts before those

	// Message is nil unless bodies were asked for. Err is why it is nil then:
	// it is corrupt.
	Message *Message
	Err     error
}

const (
	browsePage = 1000
	// browseBodies is the page when messages come along: a reply has to fit a
	// frame all the same, and may end early.
	browseBodies = 100
)

// Browse looks at the messages of a queue in the order of their places, which
// changes neither them nor any counter. Messages that come or go meanwhile are
// seen or not. The error is the last pair.
func (c *Conn) Browse(ctx context.Context, queue string, f Filter, opts ...ReadOption) iter.Seq2[BrowsedMessage, error] {
	return c.browse(ctx, queue, f, false, opts)
}

// BrowseMessages is Browse with the messages themselves.
func (c *Conn) BrowseMessages(ctx context.Context, queue string, f Filter, opts ...ReadOption) iter.Seq2[BrowsedMessage, error] {
	return c.browse(ctx, queue, f, true, opts)
}

func (c *Conn) browse(ctx context.Context, queue string, f Filter, bodies bool, opts []ReadOption) iter.Seq2[BrowsedMessage, error] {
	return func(yield func(BrowsedMessage, error) bool) {
		q, err := f.wire(queue, bodies)
		for err == nil {
			var page browsed
			if page, err = c.browsePage(ctx, q, opts); err != nil {
				break
			}
			for _, m := range page.messages {
				if f.Reason != "" && (m.Death == nil || m.Death.Reason != f.Reason) {
					continue
				}
				if !yield(m, nil) {
					return
				}
			}
			if !page.more {
				return
			}
			q.After = page.next
		}
		yield(BrowsedMessage{}, err)
	}
}

// browsed is one page.
type browsed struct {
	messages []BrowsedMessage
	next     uint64
	more     bool
}

func (c *Conn) browsePage(ctx context.Context, q transport.BrowseQuery, opts []ReadOption) (browsed, error) {
	var reply transport.BrowseReply
	group, err := c.queryGroup(ctx, "browse", transport.Query{
		Kind: transport.QueryBrowse, Name: q.Queue, Body: q.AppendTo(nil),
	}, &reply, opts)
	if err != nil {
		return browsed{}, err
	}
	page := browsed{next: reply.Next, more: reply.More}
	for i := range reply.Messages {
		page.messages = append(page.messages, browsedFrom(group, &reply.Messages[i], q.Bodies))
	}
	if page.more && page.next <= q.After { // a node that goes back would have us ask for ever
		return browsed{}, localError(transport.CodeMalformed, "browse", q.Queue, "a page that goes nowhere", nil)
	}
	return page, nil
}

func (f *Filter) wire(queue string, bodies bool) (transport.BrowseQuery, error) {
	if err := checkQueue("browse", queue); err != nil {
		return transport.BrowseQuery{}, err
	}
	if f.OlderThan < 0 || f.YoungerThan < 0 {
		return transport.BrowseQuery{}, localError(transport.CodeInvalid, "browse", queue, "a negative age", nil)
	}
	if f.Header == "" && f.HeaderValue != "" {
		return transport.BrowseQuery{}, localError(transport.CodeInvalid, "browse", queue, "a value of no header", nil)
	}
	q := transport.BrowseQuery{
		Queue: queue, Limit: browsePage, Index: f.ID.Index, Position: f.ID.Position,
		HeaderKey: f.Header, HeaderValue: f.HeaderValue, GroupKey: f.Group, Tenant: f.Tenant,
		OlderThanMs: uint64(roundUp(f.OlderThan)), YoungerThanMs: uint64(roundUp(f.YoungerThan)),
		Bodies: bodies,
	}
	if bodies {
		q.Limit = browseBodies
	}
	for _, s := range f.States {
		if s < Ready || s > Retrying {
			return q, localError(transport.CodeInvalid, "browse", queue, "no such state: "+s.String(), nil)
		}
		q.States |= transport.StatesOf(transport.MessageState(s))
	}
	return q, nil
}

func browsedFrom(group uint32, in *transport.BrowsedMessage, bodies bool) BrowsedMessage {
	m := BrowsedMessage{
		MessageRef: MessageRef{Place: in.Place, ID: MessageID{group, in.Index, in.Position}},
		State:      MessageState(in.State), Bytes: int(in.Bytes),
		Attempts: int(in.Attempts), Failures: int(in.Failures),
		EnqueuedAt: timeOf(in.EnqueuedMs), ReadyAt: timeOf(in.ReadyMs), ExpiresAt: timeOf(in.ExpiresMs),
		Priority: in.Priority, Group: in.GroupKey, Tenant: in.Tenant, Alone: in.Alone,
		Token: in.Token, Session: in.Session, Consumer: in.Consumer, LeaseUntil: timeOf(in.DeadlineMs),
		Death: deathOf(in.Death), History: attemptsOf(in.History), Forgotten: int(in.Forgotten),
	}
	if bodies {
		message, _, err := messageOf(slices.Clip(in.Record))
		if err == nil {
			m.Message = &message
		} else {
			m.Err = localError(transport.CodeMalformed, "browse", "", "message "+m.ID.String(), err)
		}
	}
	return m
}
