package broker

import (
	"crypto/sha256"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// take acts on a frame. An error ends the connection.
func (c *conn) take(f transport.Frame) error {
	switch f.Op {
	case transport.OpPublish:
		return c.publish(f)
	case transport.OpSettle:
		return c.settle(f)
	case transport.OpCredit:
		return c.credit(f)
	case transport.OpPing:
		return c.sendFrame(transport.Frame{Op: transport.OpPong, Stream: f.Stream})
	case transport.OpPong:
		return nil
	case transport.OpOpen:
		return c.open(f)
	case transport.OpAttach:
		return c.attach(f)
	case transport.OpEnd:
		return c.endSession(f)
	case transport.OpConsume, transport.OpCancel:
		return c.consumerOp(f)
	case transport.OpQueueCreate, transport.OpQueueUpdate, transport.OpQueueDelete,
		transport.OpQueuePurge, transport.OpQueuePause:
		return c.queueOp(f)
	case transport.OpCommit:
		return c.commit(f)
	case transport.OpRequest:
		return c.request(f)
	case transport.OpReply:
		return c.reply(f)
	case transport.OpAwait:
		return c.await(f)
	case transport.OpAmend:
		return c.amend(f)
	case transport.OpQueueBreaker, transport.OpGroupResume, transport.OpTenantWeight:
		return c.tune(f)
	case transport.OpTopicCreate, transport.OpTopicDelete, transport.OpSubscribe:
		return c.topicOp(f)
	case transport.OpQuery:
		return c.query(f)
	case transport.OpControl:
		return c.control(f)
	case transport.OpHello:
		return transport.Errorf(transport.CodeHandshake, "a second Hello")
	case transport.OpHelloOK, transport.OpReattach, transport.OpEvents, transport.OpError,
		transport.OpGoAway, transport.OpQueryReply:
		return transport.Errorf(transport.CodeMalformed, "%v is not for a client to send", f.Op)
	}
	if f.Op >= transport.OpPeerHello && f.Op <= transport.OpPeerReply {
		return transport.Errorf(transport.CodeMalformed, "%v is not for a client to send", f.Op)
	}
	// A newer client may know more: that is no reason to end everything else.
	e := transport.Errorf(transport.CodeUnsupported, "op %d is not known here", uint16(f.Op))
	return c.sendFrame(transport.Frame{Op: transport.OpError, Stream: f.Stream, Payload: e.AppendTo(nil)})
}

// begin counts a request in, and says what it is. The false means that the
// connection ended.
func (c *conn) begin(f *transport.Frame, kind fsm.Kind, items int) (op, bool) {
	cost := len(f.Payload) + transport.HeaderSize
	o := op{conn: c, stream: f.Stream, kind: kind, items: uint32(items), cost: int32(cost), since: c.b.now()}
	return o, c.admit(cost)
}

// submit hands a request to its group's lane, or answers it.
func (c *conn) submit(o op, l *lane, encode func([]byte) []byte) {
	if r, taken := l.submit(o, encode); !taken {
		c.answer(&o, r)
	}
}

// operation is what every numbered operation begins with: its handle. A false
// means that it is answered already.
func (c *conn) operation(f *transport.Frame, h *transport.OpHeader, kind fsm.Kind, items int) (op, fsm.OpHeader, bool) {
	o, ok := c.begin(f, kind, items)
	if !ok {
		return o, fsm.OpHeader{}, false
	}
	o.handle = c.handles[h.Handle]
	if o.handle == nil {
		c.answer(&o, refusal(transport.CodeInvalid, fmt.Sprintf("handle %d is not attached", h.Handle)))
		return o, fsm.OpHeader{}, false
	}
	return o, fsm.OpHeader{
		Session: o.handle.session, Epoch: o.handle.epoch,
		Number: h.Number, AnsweredThrough: h.AnsweredThrough,
		Ordered: h.Ordered, Predecessor: h.Predecessor,
	}, true
}

func (c *conn) open(f transport.Frame) error {
	var m transport.Open
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, ok := c.begin(&f, fsm.KindOpen, 0)
	if !ok {
		return nil
	}
	l := c.b.lanes[m.Group]
	if l == nil {
		c.answer(&o, noGroup(m.Group))
		return nil
	}
	secret := sha256.Sum256(m.Secret[:])
	c.submit(o, l, func(b []byte) []byte {
		return fsm.AppendOpen(b, &fsm.Open{
			Session: fsm.SessionID(m.Session), Secret: secret, IdleExpiryMillis: m.IdleExpiryMs,
		})
	})
	return nil
}

func noGroup(group uint32) transport.Result {
	return refusal(transport.CodeNotFound, fmt.Sprintf("group %d is not here", group))
}

func (c *conn) attach(f transport.Frame) error {
	var m transport.Attach
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, ok := c.begin(&f, fsm.KindAttach, 0)
	if !ok {
		return nil
	}
	h, refused := c.handleFor(&m)
	if h == nil {
		c.answer(&o, refused)
		return nil
	}
	o.handle = h
	secret := sha256.Sum256(m.Secret[:])
	c.submit(o, h.lane, func(b []byte) []byte {
		return fsm.AppendAttach(b, &fsm.Attach{
			Session: h.session, Secret: secret, Epoch: h.epoch, Node: c.b.o.Node,
			Resume: m.Resume, Tokens: m.Tokens,
		})
	})
	return nil
}

// handleFor finds the handle that an Attach names, or makes it.
func (c *conn) handleFor(m *transport.Attach) (*handle, transport.Result) {
	l := c.b.lanes[m.Group]
	if l == nil {
		return nil, noGroup(m.Group)
	}
	if len(m.Tokens) > transport.TokensMax {
		return nil, refusal(transport.CodeTooLarge, fmt.Sprintf("%d tokens, at most %d", len(m.Tokens), transport.TokensMax))
	}
	for i := 1; i < len(m.Tokens); i++ {
		if m.Tokens[i] <= m.Tokens[i-1] {
			return nil, refusal(transport.CodeInvalid, "tokens do not ascend")
		}
	}
	old := c.handles[m.Handle]
	if old != nil && old.lane == l && old.session == fsm.SessionID(m.Session) && old.epoch == m.Epoch && !old.ended.Load() {
		return old, transport.Result{}
	}
	switch {
	case old == nil:
		if len(c.handles) >= c.b.o.HandlesMax {
			c.dropEnded()
		}
		if len(c.handles) >= c.b.o.HandlesMax {
			return nil, refusal(transport.CodeLimit, fmt.Sprintf("more than %d sessions on a connection", c.b.o.HandlesMax))
		}
	case !old.ended.Load() && (old.lane != l || old.session != fsm.SessionID(m.Session)):
		return nil, refusal(transport.CodeInvalid, fmt.Sprintf("handle %d is another session's", m.Handle))
	default: // the same session in another epoch, or one that was given up
		c.release(old, false)
	}
	h := &handle{conn: c, lane: l, number: m.Handle, session: fsm.SessionID(m.Session), epoch: m.Epoch}
	c.handles[m.Handle] = h
	l.sessions.add(h)
	return h, transport.Result{}
}

// dropEnded forgets the handles of sessions that were given up.
func (c *conn) dropEnded() {
	for number, h := range c.handles {
		if h.ended.Load() {
			c.release(h, false)
			delete(c.handles, number)
		}
	}
}

// release forgets a handle; gone says that its connection is.
func (c *conn) release(h *handle, gone bool) {
	h.lane.sessions.remove(h)
	if !gone || h.ended.Load() {
		return
	}
	d := fsm.Detach{Session: h.session, Epoch: h.epoch, Node: c.b.o.Node, Cause: fsm.DetachConnection}
	h.lane.submitOwn(owed{kind: fsm.KindDetach, command: fsm.AppendDetach(nil, &d)})
}

func (c *conn) endSession(f transport.Frame) error {
	var m transport.End
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &transport.OpHeader{Handle: m.Handle}, fsm.KindEnd, 0)
	if !ok {
		return nil
	}
	c.submit(o, o.handle.lane, func(b []byte) []byte {
		return fsm.AppendEnd(b, &fsm.End{Session: head.Session, Epoch: head.Epoch})
	})
	return nil
}
