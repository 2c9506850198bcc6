package client

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// cut breaks every connection of a node, or of all with "".
func (c *fakeCluster) cut(name string) {
	c.mu.Lock()
	var cut []*fakeConn
	for _, n := range c.nodes {
		if name == "" || n.name == name {
			for fc := range n.conns {
				cut = append(cut, fc)
			}
		}
	}
	c.mu.Unlock()
	for _, fc := range cut {
		fc.t.Close()
	}
}

func (c *fakeCluster) setDown(name string, down bool) {
	c.mu.Lock()
	for _, n := range c.nodes {
		if n.name == name {
			n.down = down
		}
	}
	c.mu.Unlock()
	if down {
		c.cut(name)
	}
}

func (c *fakeCluster) setLeader(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader = name
}

func (c *fakeCluster) setHook(hook func(fc *fakeConn, f transport.Frame) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = hook
}

// expire forgets every session.
func (c *fakeCluster) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.sessions)
}

// attached is the connection and handle that a session is attached through.
func (c *fakeCluster) attached() (*fakeConn, uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		if s.conn != nil {
			return s.conn, s.handle
		}
	}
	c.t.Error("no session is attached")
	return nil, 0
}

// deliver sends messages with consecutive places and tokens from first.
func (c *fakeCluster) deliver(consumer uint32, first uint64, noAck bool, bodies ...string) {
	fc, handle := c.attached()
	var e transport.Events
	for i, body := range bodies {
		b, err := record.Append(nil, &record.Message{Body: []byte(body)})
		c.must(err)
		d := transport.Delivery{
			Handle: handle, Consumer: consumer, Incarnation: 5, Place: first + uint64(i),
			Index: first + uint64(i), Attempt: 1, LeaseMs: c.leaseMs, Record: b,
		}
		if noAck {
			d.Number = first + uint64(i)
		} else {
			d.Token = first + uint64(i)
		}
		e.Deliveries = append(e.Deliveries, d)
	}
	fc.send(transport.OpEvents, 0, &e)
}

// view of what has arrived, consistent.
type view struct {
	attaches []transport.Attach
	consumes []transport.Consume
	cancels  []transport.Cancel
	credits  []transport.Credit
	seen     []transport.OpHeader
	ended    int
	sessions int
}

func (v view) lastSeen() transport.OpHeader { return v.seen[len(v.seen)-1] }

func (v view) lastAttach() transport.Attach { return v.attaches[len(v.attaches)-1] }

func (c *fakeCluster) setVerdict(f func(op transport.Op, payload []byte) *transport.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verdict = f
}

func (c *fakeCluster) info() transport.GroupInfo { return read(c, c.group) }

func read[T any](c *fakeCluster, get func() T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return get()
}

// bodies of what was applied.
func (c *fakeCluster) bodies() []string {
	return read(c, func() (all []string) {
		for _, a := range c.applied {
			all = append(all, a.body)
		}
		return all
	})
}

func (c *fakeCluster) settles() []transport.SettleItem {
	return read(c, func() []transport.SettleItem { return slices.Clone(c.settled) })
}

// group is who leads as far as the node knows.
func (n *fakeNode) group() transport.GroupInfo {
	if n.cutOff {
		return transport.GroupInfo{Term: 1}
	}
	return n.cluster.group()
}

// refuse answers what a node without a leader does not take.
func (fc *fakeConn) refuse(f transport.Frame) bool {
	switch f.Op {
	case transport.OpHello, transport.OpPing, transport.OpPong, transport.OpEnd, transport.OpCredit:
		return false
	case transport.OpQuery:
		var q transport.Query
		fc.node.cluster.must(q.Decode(f.Payload))
		if !q.Stale {
			fc.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeNoLeader, "no leader is known"))
		}
		return !q.Stale
	}
	fc.answer(f.Stream, transport.Result{Code: transport.CodeNoLeader})
	return true
}

// cutOff keeps a node from the others, or not any more, and has it tell its
// clients.
func (c *fakeCluster) cutOff(name string, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[name+":7700"]
	n.cutOff = cut
	for fc := range n.conns {
		for handle := range fc.handles {
			fc.send(transport.OpReattach, 0, transport.Reattach{Handle: handle, Group: n.group()})
		}
	}
}

// dials of a node so far.
func (c *fakeCluster) dials(name string) int {
	return read(c, func() int { return c.nodes[name+":7700"].dials })
}
