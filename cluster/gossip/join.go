package gossip

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	joinBackoffMin = 200 * time.Millisecond
	joinBackoffMax = 5 * time.Second

	// rejoinEvery is how often a node looks for those that it should see and
	// does not: after a mass restart in another order, or a partition that
	// lasted longer than memberlist talks to the dead, nobody else does.
	rejoinEvery = 15 * time.Second

	// rejoinMax bounds the addresses tried in one round.
	rejoinMax = joinMax + 64
)

var errAlone = errors.New("no other node answered")

// runJoin joins, and joins again, until the context ends.
func (g *Gossip) runJoin(ctx context.Context) {
	for {
		if g.others() == 0 && len(g.opts.Join) > 0 {
			if g.joinUntilSeen(ctx) != nil {
				return // only the context ends it
			}
		}
		if g.others() > 0 {
			g.joinOnce.Do(func() { close(g.joined) })
		}
		timer := time.NewTimer(g.rejoinEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		for _, addr := range g.missing() {
			if ctx.Err() != nil {
				return
			}
			if _, err := g.list.Join([]string{addr}); err != nil {
				g.opts.Logger.Debug("node cannot be reached", "addr", addr, "error", err)
			}
		}
	}
}

func (g *Gossip) joinUntilSeen(ctx context.Context) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = joinBackoffMin, joinBackoffMax
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		return struct{}{}, g.joinAll(ctx)
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, next time.Duration) {
		g.opts.Logger.Info("no other node found yet", "error", err, "again_in", next)
	}))
	return err
}

// joinAll tries every address, one by one so that Close need not wait for all.
// Reaching only itself, by one of its names, does not count.
func (g *Gossip) joinAll(ctx context.Context) error {
	var errs []error
	for _, addr := range g.opts.Join {
		if err := ctx.Err(); err != nil {
			return backoff.Permanent(err)
		}
		if addr == g.Addr() {
			continue
		}
		if _, err := g.list.Join([]string{addr}); err != nil {
			errs = append(errs, err)
		}
	}
	if g.others() > 0 {
		return nil
	}
	return errors.Join(append(errs, errAlone)...)
}

// missing lists addresses where a node should be and none is seen alive.
func (g *Gossip) missing() []string {
	alive := map[string]bool{g.Addr(): true}
	var gone []string
	for _, m := range g.table.list() {
		if m.Alive {
			alive[m.Addr] = true
		} else {
			gone = append(gone, m.Addr)
		}
	}
	var missing []string
	for _, addr := range append(append([]string(nil), g.opts.Join...), gone...) {
		if !alive[addr] && len(missing) < rejoinMax {
			alive[addr] = true // once is enough
			missing = append(missing, addr)
		}
	}
	return missing
}

// others counts the other nodes believed alive.
func (g *Gossip) others() int {
	n := 0
	for _, m := range g.table.list() {
		if m.Alive && m.ID != g.opts.NodeID {
			n++
		}
	}
	return n
}

// Join waits until at least one other node was seen. Joining itself goes on in
// the background from Start to Close, so the context bounds only the wait.
// With nobody to join it returns at once.
func (g *Gossip) Join(ctx context.Context) error {
	if len(g.opts.Join) == 0 {
		return nil
	}
	select {
	case <-g.joined:
		return nil
	case <-g.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func hostPort(ip net.IP, port uint16) string {
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}
