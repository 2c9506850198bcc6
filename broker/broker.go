package broker

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferrymq/ferrymq/transport"
)

// Broker serves the clients of a node.
type Broker struct {
	o       Options
	log     *slog.Logger
	metrics *metrics
	start   time.Time
	lanes   map[uint32]*lane // by group; never changes

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	loops  sync.WaitGroup // runners and collectors
	serves sync.WaitGroup // calls of Serve

	peersMu sync.Mutex
	peers   map[string]*peer

	diskLow  atomic.Bool // as last sampled
	heapFull atomic.Bool // as last sampled

	connsMu  sync.Mutex
	conns    map[*conn]struct{}
	sockets  map[net.Conn]struct{} // of conns, those before Hello included
	draining bool
	gone     chan struct{} // capacity 1: a connection ended
}

// New starts a broker. It refuses clients' operations until it is told who
// leads (LeaderChanged).
func New(o Options) (*Broker, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = withDefaults(o)
	ctx, cancel := context.WithCancel(context.Background())
	b := &Broker{
		o: o, log: o.Logger, start: time.Now(),
		lanes: map[uint32]*lane{},
		ctx:   ctx, cancel: cancel,
		peers:   map[string]*peer{},
		conns:   map[*conn]struct{}{},
		sockets: map[net.Conn]struct{}{},
		gone:    make(chan struct{}, 1),
	}
	b.metrics = newMetrics(b)
	for _, g := range o.Groups {
		l := newLane(b, g)
		b.lanes[l.id] = l
	}
	for _, l := range b.lanes {
		b.loops.Go(l.run)
		b.loops.Go(l.collect)
	}
	b.loops.Go(b.watchPressure)
	for _, l := range b.lanes {
		info, self := l.group.Leader()
		b.LeaderChanged(l.id, info, self)
	}
	return b, nil
}

// Collector gives the broker's metrics to a registry.
func (b *Broker) Collector() prometheus.Collector { return b.metrics }

// now is the broker's own time in nanoseconds: monotonic, for intervals.
func (b *Broker) now() int64 { return int64(time.Since(b.start)) }

// Serve serves a client's connection whose preface was read. It returns once
// the connection is closed.
func (b *Broker) Serve(nc net.Conn, p transport.Preface) {
	if !b.enter(nc) {
		b.turnAway(nc)
		return
	}
	defer b.leave(nc)
	b.serve(nc, p)
}

// enter counts a connection in, unless there are too many or the broker stops.
func (b *Broker) enter(nc net.Conn) bool {
	b.connsMu.Lock()
	defer b.connsMu.Unlock()
	if b.ctx.Err() != nil || b.draining || len(b.sockets) >= b.o.ConnectionsMax {
		return false
	}
	b.sockets[nc] = struct{}{}
	b.serves.Add(1)
	return true
}

func (b *Broker) leave(nc net.Conn) {
	b.connsMu.Lock()
	delete(b.sockets, nc)
	b.connsMu.Unlock()
	select {
	case b.gone <- struct{}{}:
	default:
	}
	b.serves.Done()
}

// drainPoll is how often Drain looks whether idle clients are all that is left.
const drainPoll = 20 * time.Millisecond

// drainGrace is how long Drain lets idle clients follow a GoAway.
const drainGrace = time.Second

// Drain sends the clients away and returns once they are gone, or have had a
// while for it and nothing is under way any more, or ctx ends. New clients
// are refused from then on. What has arrived is still done.
func (b *Broker) Drain(ctx context.Context) error {
	b.connsMu.Lock()
	b.draining = true
	conns := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		conns = append(conns, c)
	}
	b.connsMu.Unlock()
	away := b.goAway()
	for _, c := range conns {
		c.askLeave(away)
	}
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	idleAt := time.Now().Add(drainGrace)
	for {
		left, busy := b.remaining()
		if left == 0 || !busy && time.Now().After(idleAt) {
			return nil
		}
		select {
		case <-b.gone:
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *Broker) remaining() (left int, busy bool) {
	b.connsMu.Lock()
	defer b.connsMu.Unlock()
	for c := range b.conns {
		busy = busy || c.busy()
	}
	return len(b.sockets), busy
}

func (b *Broker) goAway() transport.GoAway {
	away := transport.GoAway{Message: "node " + b.o.Node + " is leaving"}
	for _, n := range b.o.Peers.Nodes() {
		if n.Node != b.o.Node {
			away.Nodes = append(away.Nodes, n)
		}
	}
	return away
}

// Close ends all connections and stops. Proposals under way are waited for,
// so close the groups first: that decides them. Callbacks may go on to be
// called and do nothing.
func (b *Broker) Close() error {
	b.connsMu.Lock()
	b.cancel()
	for nc := range b.sockets {
		if err := nc.Close(); err != nil {
			b.log.Debug("close of a connection", "err", err)
		}
	}
	b.connsMu.Unlock()
	b.serves.Wait()
	b.loops.Wait()
	b.peersMu.Lock()
	peers := b.peers
	b.peers = map[string]*peer{}
	b.peersMu.Unlock()
	for _, p := range peers {
		p.cancel()
		<-p.done
	}
	return nil
}
