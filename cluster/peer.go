package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// peer is another node and the link to it. One goroutine dials or waits, and
// serves one link after the other: that is what orders PeerUp and PeerDown.
type peer struct {
	peers *Peers
	node  string
	runs  bool // guarded by Peers.mu

	ctx    context.Context
	cancel context.CancelFunc
	moved  chan struct{} // the address became known or changed
	links  chan *link    // accepted; the newest one replaces what waits

	up atomic.Pointer[link]

	mu sync.Mutex
	at whereabouts
}

type whereabouts struct {
	serverID   string
	peerAddr   string
	clientAddr string
}

func newPeer(p *Peers, node string) *peer {
	x := &peer{peers: p, node: node, moved: make(chan struct{}, 1), links: make(chan *link, 1)}
	x.ctx, x.cancel = context.WithCancel(p.ctx)
	return x
}

func (x *peer) know(serverID, peerAddr, clientAddr string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if peerAddr != "" && peerAddr != x.at.peerAddr {
		x.at.peerAddr = peerAddr
		select {
		case x.moved <- struct{}{}:
		default:
		}
	}
	if serverID != "" {
		x.at.serverID = serverID
	}
	if clientAddr != "" {
		x.at.clientAddr = clientAddr
	}
}

func (x *peer) where() whereabouts {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at
}

func (x *peer) current() *link { return x.up.Load() }

func (x *peer) stop() {
	x.cancel()
	if l := x.current(); l != nil {
		l.conn.Close()
	}
}

// offer hands over an accepted link. The one before is of no more use: the
// other node would not have dialed.
func (x *peer) offer(l *link) bool {
	old := x.current() // before l can become it
	for x.ctx.Err() == nil {
		select {
		case x.links <- l:
			if old != nil {
				old.conn.Close()
			}
			return true
		default:
		}
		select {
		case older := <-x.links:
			older.conn.Close()
		default:
		}
	}
	return false
}

func (x *peer) run() {
	defer func() {
		select {
		case l := <-x.links:
			l.conn.Close()
		default:
		}
	}()
	dials := x.peers.opts.Node < x.node
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = redialFrom, redialMax
	for x.ctx.Err() == nil {
		var l *link
		if dials {
			l = x.dial()
		} else {
			select {
			case l = <-x.links:
			case <-x.ctx.Done():
			}
		}
		if l != nil {
			began := time.Now()
			x.serve(l)
			if time.Since(began) > redialMax {
				wait.Reset()
			}
		}
		if dials && x.ctx.Err() == nil {
			x.pause(wait.NextBackOff())
		}
	}
}

func (x *peer) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.moved:
	case <-x.ctx.Done():
	}
}

func (x *peer) dial() *link {
	addr := x.where().peerAddr
	if addr == "" {
		return nil
	}
	conn, hello, err := x.peers.dial(x.ctx, x.node, addr)
	x.peers.opts.Metrics.connected(x.node, err == nil)
	if err != nil {
		x.peers.opts.Logger.Debug("no link", "peer", x.node, "addr", addr, "error", err)
		return nil
	}
	x.peers.learn(hello)
	return &link{peers: x.peers, node: x.node, hello: hello, conn: conn}
}

// serve runs one link from PeerUp to PeerDown.
func (x *peer) serve(l *link) {
	p := x.peers
	l.start(x.ctx)
	x.up.Store(l)
	if x.ctx.Err() != nil { // stop may have looked before the link was there
		l.conn.Close()
	}
	p.opts.Metrics.link(x.node, true)
	p.opts.Logger.Info("link is up", "peer", x.node, "server", l.hello.ServerID)
	p.opts.OnHello(l.hello)
	p.opts.OnClock(x.node, l.hello.WallMs)
	p.handler.PeerUp(x.node)
	err := l.read()
	x.up.Store(nil)
	l.end()
	p.opts.Metrics.link(x.node, false)
	p.opts.Logger.Info("link is down", "peer", x.node, "reason", err)
	p.handler.PeerDown(x.node)
}
