package gossip

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// spreadWait bounds how long UpdateMeta waits for the first node to hear
	// it, and leaveWait the same of Leave without a deadline.
	spreadWait = 2 * time.Second
	leaveWait  = 5 * time.Second
)

// Gossip is this node's part in gossip. Its methods may be called from any
// goroutine.
type Gossip struct {
	opts        Options
	addr        string
	list        *memberlist.Memberlist
	table       *table
	delegate    *delegate
	rejoinEvery time.Duration

	events   chan Event
	joined   chan struct{}
	joinOnce sync.Once

	// talk is held around calls that change what this node says of itself.
	// It is a channel because they wait for the network.
	talk chan struct{}

	ctx       context.Context
	stop      context.CancelFunc
	wg        sync.WaitGroup
	stopJoin  context.CancelFunc
	closeOnce sync.Once
	closeErr  error
}

// Start binds the port and begins to look for other nodes.
func Start(opts Options) (*Gossip, error) { return start(opts, rejoinEvery) }

func start(opts Options, rejoin time.Duration) (*Gossip, error) {
	opts = opts.withDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	conf, err := opts.config()
	if err != nil {
		return nil, err
	}
	t := newTable()
	d := &delegate{table: t, logger: opts.Logger}
	meta := bytes.Clone(opts.Meta)
	d.meta.Store(&meta)
	conf.Delegate, conf.Events, conf.Conflict = d, d, d
	list, err := memberlist.Create(conf)
	if err != nil {
		return nil, fmt.Errorf("start gossip on %s: %w", opts.BindAddr, err)
	}
	local := list.LocalNode()
	g := &Gossip{
		opts: opts, addr: hostPort(local.Addr, local.Port), list: list, table: t, delegate: d, rejoinEvery: rejoin,
		events: make(chan Event), joined: make(chan struct{}), talk: make(chan struct{}, 1),
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	var joining context.Context
	joining, g.stopJoin = context.WithCancel(g.ctx)
	g.wg.Go(func() { g.runJoin(joining) })
	g.wg.Go(g.runEvents)
	return g, nil
}

// runEvents hands one event after the other to the reader. While it waits for
// the reader, a newer state replaces the one on offer.
func (g *Gossip) runEvents() {
	defer close(g.events)
	for {
		event, some := g.table.next()
		var out chan<- Event
		if some {
			out = g.events
		}
		select {
		case <-g.ctx.Done():
			return
		case <-g.table.changed:
		case out <- event:
			g.table.told(event)
		}
	}
}

// Addr is host:port under which the others are told to reach this node.
func (g *Gossip) Addr() string { return g.addr }

// Members lists every node ever seen, this one included, by id. One that is
// not alive stays listed.
func (g *Gossip) Members() []Member { return g.table.list() }

// Events tells what changes, beginning with the members known already (this
// node among them). It is closed by Close.
func (g *Gossip) Events() <-chan Event { return g.events }

// UpdateMeta changes what the others are told of this node. An error means
// that nobody has heard it yet; it still spreads with the regular exchanges.
func (g *Gossip) UpdateMeta(meta []byte) error {
	if len(meta) > MetaBytesMax {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMetaTooLong, len(meta), MetaBytesMax)
	}
	g.talk <- struct{}{}
	defer func() { <-g.talk }()
	if g.ctx.Err() != nil {
		return ErrClosed
	}
	own := bytes.Clone(meta)
	g.delegate.meta.Store(&own)
	if err := g.list.UpdateNode(spreadWait); err != nil {
		return fmt.Errorf("update meta: %w", err)
	}
	return nil
}

// Leave tells the others that this node goes, so that they need not find out.
// It still has to be closed.
func (g *Gossip) Leave(ctx context.Context) error {
	g.talk <- struct{}{}
	defer func() { <-g.talk }()
	if g.ctx.Err() != nil {
		return ErrClosed
	}
	g.stopJoin()
	wait := leaveWait
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(deadline), time.Millisecond))
	}
	if err := g.list.Leave(wait); err != nil {
		return fmt.Errorf("leave gossip: %w", err)
	}
	return nil
}

// Close stops without a word to the others; call Leave first to be polite.
func (g *Gossip) Close() error {
	g.closeOnce.Do(func() {
		g.talk <- struct{}{}
		defer func() { <-g.talk }()
		g.stop()
		g.closeErr = g.list.Shutdown()
		g.wg.Wait()
	})
	return g.closeErr
}
