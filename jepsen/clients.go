//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// clients are the connections of a run's workloads. None may outlive the run:
// it would find the next one's cluster at the same addresses.
type clients struct {
	mu     sync.Mutex
	conns  []*client.Conn
	closed bool
}

var errRunOver = errors.New("the run is over")

func (c *clients) dial(ctx context.Context, url string, opts ...client.Option) (*client.Conn, error) {
	conn, err := client.Dial(ctx, url, opts...)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.Join(errRunOver, conn.Close())
	}
	c.conns = append(c.conns, conn)
	return conn, nil
}

// close closes what is open, and refuses to open more.
func (c *clients) close() {
	c.mu.Lock()
	conns := c.conns
	c.conns, c.closed = nil, true
	c.mu.Unlock()
	for _, conn := range conns {
		conn.Close() // most are closed already, which is all the same here
	}
}

// crewEndsIn is how long workloads may take to notice that their clients are closed.
const crewEndsIn = 30 * time.Second

// errLeftOver says that something of a run could not be ended: no other run
// can be made in this process.
var errLeftOver = errors.New("something of a run is left over")

// endClients ends everything that could reach a cluster.
func (a *arena) endClients() error {
	a.clients.close()
	if a.crew == nil {
		return nil
	}
	if err := a.crew.stop(crewEndsIn); errors.Is(err, errNoEnd) {
		return fmt.Errorf("%w: %w", errLeftOver, err)
	}
	return nil
}
