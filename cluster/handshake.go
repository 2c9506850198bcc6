package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// CheckPreface decides about the cluster id in a preface: two ids must be the
// same, and a node without one adopts the other's. Raft links always have one.
func CheckPreface(p transport.Preface, own [16]byte, adopt func([16]byte) error) error {
	var none [16]byte
	switch {
	case p.ClusterID == own && own != none:
		return nil
	case p.ClusterID == none && p.Kind == transport.KindRaft:
		return fmt.Errorf("%w: a raft link without a cluster id", ErrWrongCluster)
	case p.ClusterID == none:
		return nil
	case own == none:
		return adopt(p.ClusterID)
	}
	return fmt.Errorf("%w: %x, this is %x", ErrWrongCluster, p.ClusterID, own)
}

// A raft link names, right after preface and proof, the server that is meant:
// length u8, server id. hashicorp/raft does not look whom a request was meant
// for, and a node that was wiped listens where its old self did: it would
// answer for a voter whose promises it does not remember.

// DialRaft connects to a server of a group.
func DialRaft(ctx context.Context, network transport.Network, serverID, addr string, p transport.Preface, key []byte) (net.Conn, error) {
	if len(serverID) > serverIDMax {
		return nil, fmt.Errorf("cluster: a server id of %d bytes", len(serverID))
	}
	nc, err := DialNode(ctx, network, addr, p, key)
	if err != nil {
		return nil, err
	}
	if err := nc.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	if _, err := nc.Write(append([]byte{byte(len(serverID))}, serverID...)); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return nc, nc.SetWriteDeadline(time.Time{})
}

// AcceptRaft checks the preface, the proof and the server that is meant of an
// accepted raft link. On an error the connection is closed.
func AcceptRaft(nc net.Conn, p transport.Preface, key []byte, own [16]byte, adopt func([16]byte) error, serverID string) error {
	if err := prove(nc, p, key); err != nil {
		return errors.Join(err, nc.Close())
	}
	if err := CheckPreface(p, own, adopt); err != nil {
		transport.Refuse(nc, transport.Errorf(transport.CodeHandshake, "%v", err))
		return err
	}
	meant, err := readServerID(nc)
	if err == nil && meant != serverID {
		err = fmt.Errorf("%w: a raft link for server %s, this is %s", ErrWrongServer, meant, serverID)
	}
	if err != nil {
		return errors.Join(err, nc.Close())
	}
	return nil
}

const serverIDMax = 255

func readServerID(nc net.Conn) (string, error) {
	if err := nc.SetReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return "", err
	}
	var b [serverIDMax]byte
	if _, err := io.ReadFull(nc, b[:1]); err != nil {
		return "", err
	}
	id := b[:b[0]]
	if _, err := io.ReadFull(nc, id); err != nil {
		return "", err
	}
	return string(id), nc.SetReadDeadline(time.Time{})
}

// prove is the acceptor's half of the proof of the cluster key.
func prove(nc net.Conn, p transport.Preface, key []byte) error {
	if len(key) == 0 {
		return nil
	}
	return transport.Verify(nc, key, p, handshakeTimeout)
}

// DialNode connects to a node and does preface and proof.
func DialNode(ctx context.Context, network transport.Network, addr string, p transport.Preface, key []byte) (net.Conn, error) {
	nc, err := network.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	if err := introduce(nc, p, key); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return nc, nil
}

func introduce(nc net.Conn, p transport.Preface, key []byte) error {
	if err := nc.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if err := transport.WritePreface(nc, p); err != nil {
		return err
	}
	if err := nc.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	if len(key) == 0 {
		return nil
	}
	return transport.Prove(nc, key, p, handshakeTimeout)
}

// accept is the acceptor's half of a link's beginning: the dialer's PeerHello
// first, then this node's.
func (p *Peers) accept(nc net.Conn, preface transport.Preface) (*transport.Conn, transport.PeerHello, error) {
	if err := prove(nc, preface, p.opts.Key); err != nil {
		return nil, transport.PeerHello{}, errors.Join(err, nc.Close())
	}
	if err := CheckPreface(preface, p.opts.Cluster(), p.opts.Adopt); err != nil {
		transport.Refuse(nc, transport.Errorf(transport.CodeHandshake, "%v", err))
		return nil, transport.PeerHello{}, err
	}
	conn := p.newConn(nc)
	hello, err := p.readHello(conn)
	if err == nil && hello.Node >= p.opts.Node {
		err = fmt.Errorf("%w: node %s must not dial %s", ErrWrongCluster, hello.Node, p.opts.Node)
	}
	if err == nil {
		err = p.sendHello(conn)
	}
	if err != nil {
		return nil, hello, errors.Join(err, conn.Abort(transport.Errorf(transport.CodeHandshake, "%v", err), time.Second))
	}
	return conn, hello, nil
}

// dial is the dialer's half.
func (p *Peers) dial(ctx context.Context, node, addr string) (*transport.Conn, transport.PeerHello, error) {
	ctx, cancel := context.WithTimeout(ctx, linkDialTimeout)
	defer cancel()
	preface := transport.Preface{Kind: transport.KindPeer, ClusterID: p.opts.Cluster()}
	nc, err := DialNode(ctx, p.opts.Network, addr, preface, p.opts.Key)
	if err != nil {
		return nil, transport.PeerHello{}, err
	}
	conn := p.newConn(nc)
	err = p.sendHello(conn)
	var hello transport.PeerHello
	if err == nil {
		hello, err = p.readHello(conn)
	}
	if err == nil && hello.Node != node {
		err = fmt.Errorf("%w: %s is node %s, not %s", ErrWrongCluster, addr, hello.Node, node)
	}
	if err != nil {
		return nil, hello, errors.Join(err, conn.Close())
	}
	return conn, hello, nil
}

func (p *Peers) newConn(nc net.Conn) *transport.Conn {
	return transport.NewConn(nc, transport.ConnOptions{OutboxMax: p.opts.OutboxBytes, FrameMax: transport.PeerFrameMax})
}

func (p *Peers) sendHello(conn *transport.Conn) error {
	return conn.TrySend(transport.Frame{Op: transport.OpPeerHello, Payload: p.hello().AppendTo(nil)})
}

func (p *Peers) readHello(conn *transport.Conn) (h transport.PeerHello, err error) {
	conn.SetFrameMax(transport.HelloFrameMax)
	conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	f, err := conn.ReadFrame(nil)
	if err != nil {
		return h, err
	}
	switch f.Op {
	case transport.OpPeerHello:
	case transport.OpError:
		var e transport.Error
		if err := e.Decode(f.Payload); err != nil {
			return h, err
		}
		return h, &e
	default:
		return h, transport.Errorf(transport.CodeHandshake, "%v before PeerHello", f.Op)
	}
	if err := h.Decode(f.Payload); err != nil {
		return h, err
	}
	if h.Node == "" || h.Node == p.opts.Node {
		return h, fmt.Errorf("%w: a node named %q", ErrWrongCluster, h.Node)
	}
	conn.SetReadDeadline(time.Time{})
	conn.SetFrameMax(transport.PeerFrameMax)
	return h, nil
}
