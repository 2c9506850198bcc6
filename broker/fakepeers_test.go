package broker

import (
	"context"
	"sync"
	"testing"

	"github.com/ferrymq/ferrymq/transport"
)

// fakePeers are the links of one node: each frame is handed to the other
// node's broker by a goroutine of the link, in order.
type fakePeers struct {
	t    testing.TB
	node string

	mu    sync.Mutex
	links map[string]*fakeLink
	sent  []transport.Frame // of all links, while recording
	keep  bool
}

type fakeLink struct {
	to     *Broker
	frames chan transport.Frame
	cut    chan struct{}
	done   chan struct{}
}

func newFakePeers(t testing.TB, node string) *fakePeers {
	return &fakePeers{t: t, node: node, links: map[string]*fakeLink{}}
}

func (p *fakePeers) Send(ctx context.Context, node string, f transport.Frame) error {
	p.mu.Lock()
	l := p.links[node]
	if p.keep {
		p.sent = append(p.sent, f)
	}
	p.mu.Unlock()
	if l == nil {
		return transport.ErrClosed
	}
	select {
	case l.frames <- f:
		return nil
	case <-l.cut:
		return transport.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *fakePeers) Request(ctx context.Context, node, kind string, body []byte) ([]byte, error) {
	p.mu.Lock()
	l := p.links[node]
	p.mu.Unlock()
	if l == nil {
		return nil, transport.Errorf(transport.CodeNoLeader, "no link to %s", node)
	}
	return l.to.HandlePeerRequest(ctx, kind, body)
}

func (p *fakePeers) Nodes() []transport.NodeInfo {
	return []transport.NodeInfo{{Node: "a", ClientAddr: "a:7700"}, {Node: "b", ClientAddr: "b:7700"}}
}

// connect brings the link between two nodes up.
func connect(a, b *fakePeers, brokerA, brokerB *Broker) {
	a.up(b.node, brokerB)
	b.up(a.node, brokerA)
	brokerA.PeerUp(b.node)
	brokerB.PeerUp(a.node)
}

// disconnect cuts it. Frames on the way are lost.
func disconnect(a, b *fakePeers, brokerA, brokerB *Broker) {
	a.down(b.node)
	b.down(a.node)
	brokerA.PeerDown(b.node)
	brokerB.PeerDown(a.node)
}

func (p *fakePeers) up(node string, to *Broker) {
	l := &fakeLink{to: to, frames: make(chan transport.Frame, 4), cut: make(chan struct{}), done: make(chan struct{})}
	p.mu.Lock()
	p.links[node] = l
	p.mu.Unlock()
	from := p.node
	go func() {
		defer close(l.done)
		for {
			select {
			case f := <-l.frames:
				to.PeerFrame(from, f)
			case <-l.cut:
				return
			}
		}
	}()
}

func (p *fakePeers) down(node string) {
	p.mu.Lock()
	l := p.links[node]
	delete(p.links, node)
	p.mu.Unlock()
	if l != nil {
		close(l.cut)
		<-l.done
	}
}

// fakeAdmin answers with what it holds.
type fakeAdmin struct {
	info transport.ClusterInfo
	err  error

	mu       sync.Mutex
	controls []transport.Control
}

func (a *fakeAdmin) Status(_ context.Context, stale bool) (transport.ClusterInfo, error) {
	return a.info, a.err
}

func (a *fakeAdmin) Control(_ context.Context, c transport.Control) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.controls = append(a.controls, c)
	return a.err
}
