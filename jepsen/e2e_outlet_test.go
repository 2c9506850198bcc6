//go:build linux

package jepsen

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	// outletMax is how many messages the end of a pipeline has room for.
	outletMax = 16
	// outletStall is after how many messages each its consumer takes none until
	// a commit is refused.
	outletStall = 200
)

// outlet takes what comes out of a pipeline. Now and then it takes nothing until
// a commit has been refused as there is no more room.
type outlet struct {
	over chan struct{} // closed when nothing more may come
	full chan struct{} // something was refused

	refused, stalls atomic.Int64

	mu   sync.Mutex
	came map[client.MessageID]string
}

func newOutlet() *outlet {
	return &outlet{over: make(chan struct{}), full: make(chan struct{}, 1), came: map[client.MessageID]string{}}
}

// answered is told of each answer. One without an index is a node's, which has
// other reasons to be busy.
func (o *outlet) answered(a *client.Answer) {
	if a.Op != "commit" || a.Code != transport.CodeBusy || a.Index == 0 {
		return
	}
	o.refused.Add(1)
	select {
	case o.full <- struct{}{}:
	default:
	}
}

func (o *outlet) handle(ctx context.Context, d *client.Delivery) error {
	o.mu.Lock()
	o.came[d.ID] = string(d.Body)
	stall := len(o.came)%outletStall == 0
	o.mu.Unlock()
	if !stall {
		return nil
	}
	select {
	case <-o.full: // of before
	default:
	}
	select {
	case <-o.full:
		o.stalls.Add(1)
	case <-o.over:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// texts are those of the messages that came, once each, however often that was:
// their consumer may have been lost before it had settled one.
func (o *outlet) texts() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.came))
}
