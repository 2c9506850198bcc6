package broker

import (
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Bounds of the heartbeat that a client may propose.
const (
	heartbeatMin = 100 * time.Millisecond
	heartbeatMax = 5 * time.Minute
)

// hello takes the first frame, answers it, and settles what holds on this
// connection.
func (c *conn) hello(p transport.Preface) error {
	o := &c.b.o
	cluster := o.ClusterID()
	if p.ClusterID != ([16]byte{}) && p.ClusterID != cluster {
		return transport.Errorf(transport.CodeHandshake, "another cluster: this one is %x", cluster)
	}
	c.t.SetReadDeadline(time.Now().Add(o.HelloTimeout))
	f, err := c.t.ReadFrame(nil)
	if err != nil {
		if e := mistake(err); e != nil && e.Code == transport.CodeTimeout {
			return transport.Errorf(transport.CodeHandshake, "no Hello within %v", o.HelloTimeout)
		}
		return err
	}
	if f.Op != transport.OpHello {
		return transport.Errorf(transport.CodeHandshake, "%v before Hello", f.Op)
	}
	var h transport.Hello
	if err := h.Decode(f.Payload); err != nil {
		return err
	}
	if err := c.negotiate(&h); err != nil {
		return err
	}
	c.t.SetReadDeadline(time.Time{})
	c.t.SetFrameMax(uint32(o.FrameMax))
	c.t.SetHeartbeat(c.heartbeat)
	ok := transport.HelloOK{
		Version: c.version, ClusterID: cluster, Node: o.Node,
		FrameMax: uint32(o.FrameMax), MessageMax: uint32(o.MessageMax),
		MessagesMax: uint32(o.MessagesMax), WindowMax: uint32(o.WindowMax),
		HeartbeatMs: uint32(c.heartbeat.Milliseconds()),
		Groups:      c.b.groupInfos(), Nodes: o.Peers.Nodes(),
	}
	return c.t.TrySend(transport.Frame{Op: transport.OpHelloOK, Stream: f.Stream, Payload: ok.AppendTo(nil)})
}

// negotiate decides what holds, or why the client cannot be served.
func (c *conn) negotiate(h *transport.Hello) error {
	switch {
	case h.VersionMin > h.VersionMax:
		return transport.Errorf(transport.CodeHandshake, "versions %d to %d are none", h.VersionMin, h.VersionMax)
	case h.VersionMin > transport.Version || h.VersionMax < transport.Version:
		return transport.Errorf(transport.CodeVersion, "this node speaks version %d, the client %d to %d",
			transport.Version, h.VersionMin, h.VersionMax)
	case h.TLS:
		return transport.Errorf(transport.CodeUnsupported, "TLS is not supported yet")
	case h.Auth != "" || len(h.AuthData) > 0:
		return transport.Errorf(transport.CodeUnsupported, "authentication is not supported yet")
	case h.Compression != "":
		return transport.Errorf(transport.CodeUnsupported, "compression is not supported yet")
	}
	c.version = transport.Version
	c.frameMax = c.b.o.FrameMax
	if h.FrameMax != 0 {
		if least := c.b.o.MessageMax + frameSlack; int(h.FrameMax) < least {
			return transport.Errorf(transport.CodeLimit, "frame_max %d is too small, messages need %d", h.FrameMax, least)
		}
		c.frameMax = min(c.frameMax, int(h.FrameMax))
	}
	c.heartbeat = c.b.o.Heartbeat
	if h.HeartbeatMs != 0 {
		c.heartbeat = min(max(time.Duration(h.HeartbeatMs)*time.Millisecond, heartbeatMin), heartbeatMax)
	}
	return nil
}

// groupInfos says who leads the groups, in their order.
func (b *Broker) groupInfos() []transport.GroupInfo {
	infos := make([]transport.GroupInfo, 0, len(b.o.Groups))
	for _, g := range b.o.Groups {
		l := b.lanes[g.ID()]
		l.mu.Lock()
		info := l.info
		l.mu.Unlock()
		info.Group = g.ID()
		infos = append(infos, info)
	}
	return infos
}
