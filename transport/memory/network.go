package memory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	backlog   = 256     // connections that wait for Accept
	bufferMax = 1 << 18 // bytes on their way in one direction of a connection
	firstPort = 49152   // that Listen and Dial choose themselves
)

// Network connects hosts. Its methods may be called from anywhere.
type Network struct {
	mu        sync.Mutex // guards what follows; never held while waiting
	listeners map[string]*listener
	conns     []*conn // in the order of their making
	cut       map[link]bool
	healed    chan struct{} // closed and made anew when links heal
	port      int
	weather   Weather
}

// Weather says how long bytes are on their way. Without it they arrive at
// once. Its methods are called with a lock held, from any goroutine: they must
// not wait, nor call the network.
type Weather interface {
	// Travel is how long bytes that are written now are on their way; 0 bytes
	// are the end of a stream, or half a handshake. They never overtake what
	// was written to the connection before.
	Travel(from, to string, bytes int) time.Duration

	// Thaw is how much longer bytes are on their way that waited at a link
	// which was cut for so long and is healed now.
	Thaw(from, to string, cut time.Duration) time.Duration
}

// SetWeather sets the weather of connections that are made from now on.
func (n *Network) SetWeather(w Weather) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather = w
}

// link is one direction between two hosts.
type link struct{ from, to string }

// NewNetwork makes a network without hosts; naming one makes it.
func NewNetwork() *Network {
	return &Network{
		listeners: make(map[string]*listener),
		cut:       make(map[link]bool),
		healed:    make(chan struct{}),
		port:      firstPort,
	}
}

// Host is the network as the named host sees it. Addresses are "name:port";
// without a name, or with localhost, 127.0.0.1 or 0.0.0.0, they are the host's own.
func (n *Network) Host(name string) transport.Network { return host{n: n, name: name} }

// Cut stops all bytes and new connections between two hosts, in both
// directions. Connections stay, and go on after Heal.
func (n *Network) Cut(a, b string) {
	n.setCut(true, link{a, b}, link{b, a})
}

// CutOneWay stops what goes from one host to another. New connections need
// both directions.
func (n *Network) CutOneWay(from, to string) {
	n.setCut(true, link{from, to})
}

// Heal undoes Cut and CutOneWay between two hosts.
func (n *Network) Heal(a, b string) {
	n.setCut(false, link{a, b}, link{b, a})
}

// HealAll undoes every cut.
func (n *Network) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cut)
	for _, c := range n.conns {
		c.out.setCut(false)
		c.in.setCut(false)
	}
	n.tellHealed()
}

// Reset breaks all connections between two hosts; both sides see
// syscall.ECONNRESET. New ones are possible.
func (n *Network) Reset(a, b string) {
	n.reset(func(l link) bool { return l == link{a, b} || l == link{b, a} })
}

// Crash breaks all connections of a host and closes its listeners, as the end
// of its process does. The host may listen again.
func (n *Network) Crash(name string) {
	n.mu.Lock()
	var gone []*listener
	for _, l := range n.listeners {
		if l.addr.host == name {
			gone = append(gone, l)
		}
	}
	n.mu.Unlock()
	for _, l := range gone {
		l.Close()
	}
	n.reset(func(l link) bool { return l.from == name || l.to == name })
}

// Conns tells how many connections are open, each counted at both ends.
func (n *Network) Conns() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

func (n *Network) setCut(cut bool, links ...link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range links {
		if cut {
			n.cut[l] = true
		} else {
			delete(n.cut, l)
		}
		for _, c := range n.conns {
			if c.link() == l {
				c.out.setCut(cut)
			}
			if c.link() == (link{l.to, l.from}) { // the other end may be closed and forgotten
				c.in.setCut(cut)
			}
		}
	}
	if !cut {
		n.tellHealed()
	}
}

func (n *Network) tellHealed() {
	close(n.healed)
	n.healed = make(chan struct{})
}

func (n *Network) reset(hit func(link) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		if hit(c.link()) {
			c.out.reset()
		}
	}
}

// remove forgets a closed connection.
func (n *Network) remove(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.conns {
		if n.conns[i] == c {
			n.conns = append(n.conns[:i], n.conns[i+1:]...)
			return
		}
	}
}

// address of an end of a connection.
type address struct {
	host string
	port int
}

func (a address) Network() string { return "memory" }
func (a address) String() string  { return net.JoinHostPort(a.host, strconv.Itoa(a.port)) }

// host implements transport.Network.
type host struct {
	n    *Network
	name string
}

func (h host) parse(addr string) (address, error) {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return address{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return address{}, fmt.Errorf("memory: port of %q: %w", addr, err)
	}
	switch name {
	case "", "localhost", "127.0.0.1", "0.0.0.0":
		name = h.name
	}
	return address{host: name, port: int(number)}, nil
}

func (h host) failed(op string, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "memory", Addr: addr, Err: err}
}

// Dial implements transport.Network.
func (h host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	to, err := h.parse(addr)
	if err != nil {
		return nil, err
	}
	for {
		c, wait, err := h.n.connect(h.name, to)
		if err != nil {
			return nil, h.failed("dial", to, err)
		}
		if c != nil {
			return h.shakeHands(ctx, c)
		}
		select { // nobody answers over a link that is cut
		case <-wait:
		case <-ctx.Done():
			return nil, h.failed("dial", to, ctx.Err())
		}
	}
}

// shakeHands waits for as long as a handshake takes.
func (h host) shakeHands(ctx context.Context, c *conn) (net.Conn, error) {
	w := c.out.weather
	if w == nil {
		return c, nil
	}
	t := time.NewTimer(w.Travel(c.local.host, c.remote.host, 0) + w.Travel(c.remote.host, c.local.host, 0))
	defer t.Stop()
	select {
	case <-t.C:
		return c, nil
	case <-ctx.Done():
		c.Close()
		return nil, h.failed("dial", c.remote, ctx.Err())
	}
}

// connect makes a connection, or returns what to wait for while a link is cut.
func (n *Network) connect(from string, to address) (*conn, <-chan struct{}, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut[link{from, to.host}] || n.cut[link{to.host, from}] {
		return nil, n.healed, nil
	}
	l := n.listeners[to.String()]
	if l == nil {
		return nil, nil, syscall.ECONNREFUSED
	}
	near, far := newConns(n, address{host: from, port: n.nextPort()}, to)
	select {
	case l.accepted <- far:
	default:
		return nil, nil, errors.New("the listener's backlog is full")
	}
	n.conns = append(n.conns, near, far)
	return near, nil, nil
}

// nextPort is a port that was not used yet. Ports beyond 65535 do no harm here.
func (n *Network) nextPort() int {
	n.port++
	return n.port
}

// Listen implements transport.Network.
func (h host) Listen(addr string) (net.Listener, error) {
	at, err := h.parse(addr)
	if err != nil {
		return nil, err
	}
	if at.host != h.name {
		return nil, h.failed("listen", at, syscall.EADDRNOTAVAIL)
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	if at.port == 0 {
		at.port = h.n.nextPort()
	}
	if h.n.listeners[at.String()] != nil {
		return nil, h.failed("listen", at, syscall.EADDRINUSE)
	}
	l := &listener{n: h.n, addr: at, accepted: make(chan *conn, backlog), closed: make(chan struct{})}
	h.n.listeners[at.String()] = l
	return l, nil
}
