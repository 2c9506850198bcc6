package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/ferrymq/ferrymq/transport"
)

// Peers is the full mesh of links to the other nodes: one connection a pair,
// dialed by the node whose name sorts lower.
type Peers struct {
	opts PeersOptions
	boot uint64 // random, of this process

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.RWMutex
	closed   bool
	handler  PeerHandler // nil until Start
	peers    map[string]*peer
	requests map[string]RequestHandler
}

// NewPeers makes the links; nothing is dialed before Start.
func NewPeers(opts PeersOptions) (*Peers, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	p := &Peers{
		opts: opts.withDefaults(), boot: randomUint64(),
		peers:    make(map[string]*peer),
		requests: make(map[string]RequestHandler),
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p, nil
}

func randomUint64() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])
}

// Handle answers requests of a kind. Call it before Start.
func (p *Peers) Handle(kind string, h RequestHandler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[kind] = h
}

// Start begins to dial and to accept.
func (p *Peers) Start(h PeerHandler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = h
	for _, x := range p.peers {
		p.run(x)
	}
}

// run starts the goroutine of a peer, once. The caller holds mu.
func (p *Peers) run(x *peer) {
	if p.closed || p.handler == nil || x.runs {
		return
	}
	x.runs = true
	p.wg.Go(x.run)
}

// Know tells of a node: where it listens, and what clients are told. Empty
// fields change nothing.
func (p *Peers) Know(node, serverID, peerAddr, clientAddr string) {
	if node == "" || node == p.opts.Node {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.peers[node]
	if x == nil {
		if p.closed || len(p.peers) >= peersMax {
			return
		}
		x = newPeer(p, node)
		p.peers[node] = x
		p.run(x)
	}
	x.know(serverID, peerAddr, clientAddr)
}

// Forget ends the link to a node and stops dialing it.
func (p *Peers) Forget(node string) {
	p.mu.Lock()
	x := p.peers[node]
	delete(p.peers, node)
	p.mu.Unlock()
	if x != nil {
		x.stop()
	}
}

// Nodes lists the nodes known, this one included, by name.
func (p *Peers) Nodes() []transport.NodeInfo {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := []transport.NodeInfo{{Node: p.opts.Node, ClientAddr: p.opts.ClientAddr}}
	for name, x := range p.peers {
		out = append(out, transport.NodeInfo{Node: name, ClientAddr: x.where().clientAddr})
	}
	slices.SortFunc(out, func(a, b transport.NodeInfo) int { return compareStrings(a.Node, b.Node) })
	return out
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ClientAddr implements Directory.
func (p *Peers) ClientAddr(node string) string {
	if node == p.opts.Node {
		return p.opts.ClientAddr
	}
	if x := p.find(node); x != nil {
		return x.where().clientAddr
	}
	return ""
}

// PeerAddr implements Directory.
func (p *Peers) PeerAddr(serverID string) string {
	if serverID == p.opts.ServerID {
		return p.opts.PeerAddr
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, x := range p.peers {
		if at := x.where(); at.serverID == serverID {
			return at.peerAddr
		}
	}
	return ""
}

// Up tells whether the link to a node is up.
func (p *Peers) Up(node string) bool {
	x := p.find(node)
	return x != nil && x.current() != nil
}

func (p *Peers) find(node string) *peer {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.peers[node]
}

// Send queues a frame, in order, and blocks while the link's outbox is full.
// An error means that the link is down; frames queued before may be lost.
func (p *Peers) Send(ctx context.Context, node string, f transport.Frame) error {
	l := p.link(node)
	if l == nil {
		return noLink(node)
	}
	return l.send(ctx, f)
}

func (p *Peers) link(node string) *link {
	x := p.find(node)
	if x == nil {
		return nil
	}
	return x.current()
}

// noLink says that nothing was sent.
func noLink(node string) *transport.Error {
	return transport.Errorf(transport.CodeNoLeader, "no link to node %s", node)
}

// Request asks a node and waits for its answer; the error is a
// *transport.Error. A request to this node itself is served here.
func (p *Peers) Request(ctx context.Context, node, kind string, body []byte) ([]byte, error) {
	if node == p.opts.Node {
		out, err := p.serve(ctx, p.opts.Node, kind, body)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	l := p.link(node)
	if l == nil {
		return nil, noLink(node)
	}
	return l.request(ctx, kind, body)
}

// serve runs the handler of a request.
func (p *Peers) serve(ctx context.Context, from, kind string, body []byte) ([]byte, *transport.Error) {
	p.mu.RLock()
	h := p.requests[kind]
	p.mu.RUnlock()
	if h == nil {
		return nil, transport.Errorf(transport.CodeUnsupported, "request %q", kind)
	}
	out, err := h(ctx, from, body)
	if err != nil {
		return nil, transport.AsError(err)
	}
	return out, nil
}

// Accept takes an accepted connection whose preface is read: register it with
// transport.Mux for transport.KindPeer. It returns when the connection is
// handed to its peer, or refused.
func (p *Peers) Accept(nc net.Conn, preface transport.Preface) {
	conn, hello, err := p.accept(nc, preface)
	if err != nil {
		p.opts.Logger.Warn("a link was refused", "from", nc.RemoteAddr(), "error", err)
		return
	}
	p.learn(hello)
	x := p.find(hello.Node)
	if x == nil || !x.offer(&link{peers: p, node: hello.Node, hello: hello, conn: conn}) {
		p.opts.Logger.Warn("a link found no place", "peer", hello.Node)
		conn.Close()
	}
}

// learn takes what a node says of itself.
func (p *Peers) learn(h transport.PeerHello) {
	p.Know(h.Node, h.ServerID, h.PeerAddr, h.ClientAddr)
}

// hello is what this node says of itself.
func (p *Peers) hello() transport.PeerHello {
	return transport.PeerHello{
		Node: p.opts.Node, ServerID: p.opts.ServerID, Boot: p.boot,
		ClientAddr: p.opts.ClientAddr, PeerAddr: p.opts.PeerAddr,
		WallMs: p.opts.wallMillis(), HasState: p.opts.HasState(), Build: p.opts.Build,
	}
}

// Close ends every link and waits for their goroutines.
func (p *Peers) Close() error {
	p.mu.Lock()
	p.closed = true
	all := make([]*peer, 0, len(p.peers))
	for _, x := range p.peers {
		all = append(all, x)
	}
	p.mu.Unlock()
	p.stop()
	for _, x := range all {
		x.stop()
	}
	p.wg.Wait()
	return nil
}

func (p *Peers) String() string { return fmt.Sprintf("links of %s", p.opts.Node) }
