package cluster

import (
	"context"
	"fmt"
	"sync"
)

// calls counts what waits for an answer of raft, and can wait until there is
// nothing left. A sync.WaitGroup cannot be waited for with a deadline.
type calls struct {
	mu    sync.Mutex
	count int
	none  chan struct{} // while somebody waits: closed when count falls to 0
}

func (c *calls) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
}

func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.count == 0 && c.none != nil {
		close(c.none)
		c.none = nil
	}
}

// drain waits until nothing is left.
func (c *calls) drain(ctx context.Context) error {
	c.mu.Lock()
	if c.count == 0 {
		c.mu.Unlock()
		return nil
	}
	if c.none == nil {
		c.none = make(chan struct{})
	}
	none := c.none
	c.mu.Unlock()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Errorf("%d proposals or transfers are not answered: %w", c.count, ctx.Err())
	}
}
