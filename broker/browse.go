package broker

import (
	"context"
	"math"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	browseLoads = 64 << 20 // bytes of records that one browse reads at most
	browseLoad  = 1 << 10  // that a small one counts for
	browseHead  = 192      // of a browsed message around what varies, at most
)

// browser answers one browse: the state tells of messages a bounded piece at a
// time, and their records are read between the pieces.
type browser struct {
	lane   *lane
	info   record.Info // of the message that is looked at
	q      transport.BrowseQuery
	where  fsm.BrowseQuery
	reply  transport.BrowseReply
	bytes  int // of the reply so far
	loaded int
	index  uint64
}

func (l *lane) readBrowse(ctx context.Context, q *transport.Query) (transport.QueryReply, error) {
	b := browser{lane: l}
	if err := b.q.Decode(q.Body); err != nil {
		return transport.QueryReply{}, err
	}
	now := l.group.Now().WallMillis
	b.where = fsm.BrowseQuery{
		After: b.q.After, States: fsm.MessageStates(b.q.States),
		Index: b.q.Index, Position: b.q.Position, Group: b.q.GroupKey, Tenant: b.q.Tenant,
	}
	if b.q.YoungerThanMs != 0 {
		b.where.SinceMillis = ago(now, b.q.YoungerThanMs)
	}
	if b.q.OlderThanMs != 0 {
		b.where.UntilMillis = max(1, ago(now, b.q.OlderThanMs)) // 0 would be no bound
	}
	b.reply.Next = b.q.After
	err := b.run(ctx)
	return transport.QueryReply{Stale: true, Index: b.index, Body: b.reply.AppendTo(nil)}, err
}

func ago(now int64, millis uint64) int64 {
	return now - int64(min(millis, math.MaxInt64/2))
}

// run takes pieces until the reply has what it may hold, or enough was read.
func (b *browser) run(ctx context.Context) error {
	limit := page(b.q.Limit)
	for {
		b.where.Limit = limit - len(b.reply.Messages)
		var piece fsm.BrowsePage
		var at fsm.Clock
		var ok bool
		b.lane.group.View(func(s *fsm.State) {
			piece, ok = s.Browse(b.q.Queue, b.where)
			at, b.index = s.Clock(), s.Index()
		})
		if !ok {
			return transport.Errorf(transport.CodeNotFound, "queue %q", b.q.Queue)
		}
		for i := range piece.Messages {
			if !b.take(&piece.Messages[i], at) {
				b.reply.More = true
				return nil
			}
		}
		b.reply.Next, b.reply.More = piece.Next, piece.More
		b.where.After = piece.Next
		// If no record was judged, a piece that holds nothing has cost as much as
		// one reply may.
		if !piece.More || len(b.reply.Messages) == limit || !b.judges() || ctx.Err() != nil {
			return nil
		}
	}
}

// judges tells whether a record may decide what the query is for.
func (b *browser) judges() bool {
	return b.q.HeaderKey != "" || b.q.GroupKey != "" || b.q.Tenant != ""
}

// take adds a message that the query is for, and false if there is no more
// room: then the next reply begins with it.
func (b *browser) take(m *fsm.BrowsedMessage, at fsm.Clock) bool {
	if b.loaded >= browseLoads {
		return false
	}
	data := b.load(m)
	if !b.wants(data) {
		b.reply.Next = m.Place
		return true
	}
	x := browsedOf(m, at)
	b.describe(&x)
	if b.q.Bodies {
		x.Record = data
	}
	n := browsedBytes(&x)
	if len(b.reply.Messages) > 0 && b.bytes+n > b.lane.b.o.MessageMax {
		return false
	}
	b.bytes += n
	b.reply.Messages = append(b.reply.Messages, x)
	b.reply.Next = m.Place
	return true
}

// load reads the record of a message, and what it says of itself. Its headers
// and body count only if they are wanted.
func (b *browser) load(m *fsm.BrowsedMessage) []byte {
	b.info.Present = 0
	data, err := m.Body.Load()
	if err == nil {
		err = b.info.Peek(data)
	}
	if err != nil {
		b.lane.b.log.Error("browsed message without body", "index", m.ID.Index, "position", m.ID.Position, "err", err)
	}
	b.loaded += browseLoad
	if b.q.Bodies || b.q.HeaderKey != "" {
		b.loaded += max(len(data), browseLoad) - browseLoad
	}
	return data
}

// wants judges the record that was loaded last.
func (b *browser) wants(data []byte) bool {
	i := &b.info
	return (b.q.GroupKey == "" || i.Present.Has(record.TagGroupKey) && string(i.Group) == b.q.GroupKey) &&
		(b.q.Tenant == "" || i.Present.Has(record.TagTenant) && string(i.Tenant) == b.q.Tenant) &&
		(b.q.HeaderKey == "" || hasHeader(data, b.q.HeaderKey, b.q.HeaderValue))
}

// describe tells group, tenant and priority as the message itself says them:
// its queue may have no use for them, as a dead-letter queue has not.
func (b *browser) describe(x *transport.BrowsedMessage) {
	i := &b.info
	x.GroupKey, x.Tenant, x.Priority = "", "", fsm.DefaultPriority
	if i.Present.Has(record.TagGroupKey) {
		x.GroupKey = string(i.Group)
	}
	if i.Present.Has(record.TagTenant) {
		x.Tenant = string(i.Tenant)
	}
	if i.Present.Has(record.TagPriority) {
		x.Priority = i.Priority
	}
}

// hasHeader tells whether a record has the header, with this value unless it
// is "".
func hasHeader(data []byte, key, value string) bool {
	v, err := record.Parse(data)
	if err != nil {
		return false
	}
	for k, x := range v.Headers() {
		if string(k) == key && (value == "" || string(x) == value) {
			return true
		}
	}
	return false
}

func browsedOf(m *fsm.BrowsedMessage, at fsm.Clock) transport.BrowsedMessage {
	x := transport.BrowsedMessage{
		Place: m.Place, Index: m.ID.Index, Position: m.ID.Position,
		State: transport.MessageState(m.State), Bytes: m.Bytes, Attempts: m.Attempts, Failures: m.Failures,
		EnqueuedMs: m.EnqueuedMillis, ReadyMs: m.ReadyMillis, ExpiresMs: m.ExpiresMillis,
		Alone: m.Alone,
		Token: m.Token, Session: transport.SessionID(m.Session), Consumer: m.Consumer,
		History: attemptsOf(m.History), Forgotten: m.Forgotten,
	}
	if m.State == fsm.Retrying {
		x.ReadyMs = estimate(m.ReadyMillis, at)
	}
	if m.DeadlineMillis != 0 {
		x.DeadlineMs = estimate(m.DeadlineMillis, at)
	}
	if m.Death != nil {
		x.Death = deathOf(m.Death)
	}
	return x
}

func browsedBytes(x *transport.BrowsedMessage) int {
	n := browseHead + len(x.GroupKey) + len(x.Tenant) + len(x.Record)
	if x.Death != nil {
		n += deathBytes(x.Death)
	}
	return n + attemptsBytes(x.History)
}
