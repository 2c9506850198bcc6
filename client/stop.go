package client

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The end of a consumer. In order: nothing more is started; the group is told
// to assign nothing more; what was prefetched goes back; handlers finish and
// their settles are answered.

// Stop ends the consumer and waits for its handlers and their settles. When
// ctx ends first, the handlers' contexts are cancelled, everything unsettled
// is handed back, and Stop returns the context's error without waiting.
func (k *Consumer) Stop(ctx context.Context) error {
	k.stop()
	select {
	case <-k.done:
		return nil
	case <-ctx.Done():
	}
	k.giveUp()
	return ctxError(ctx)
}

// Done is closed when the consumer has ended and its handlers have returned.
func (k *Consumer) Done() <-chan struct{} { return k.done }

// Err is why the consumer ended, nil after Stop and before it ends.
func (k *Consumer) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// stop begins the end, once.
func (k *Consumer) stop() { k.stopFor(k.ctx.Err()) }

// stopFor is stop for a reason, which may be nil.
func (k *Consumer) stopFor(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != consuming {
		return
	}
	k.state = stopping
	if why != nil {
		k.err = why
	}
	k.beginEnd()
}

// end is for a consumer that its group, or the connection, has ended.
func (k *Consumer) end(why *Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == ended {
		return
	}
	running := k.state == consuming
	k.state = ended
	if running {
		k.err = why
	}
	k.dropReady(why)
	k.checkDrained()
	k.cancel(why)
	if running {
		k.beginEnd()
	}
	signal(k.wake)
}

// beginEnd is called with the mutex held.
func (k *Consumer) beginEnd() {
	close(k.stopped)
	signal(k.wake)
	go k.wind() // owned by the consumer: it closes done
}

// wind brings the consumer to its end.
func (k *Consumer) wind() {
	defer close(k.done)
	told := k.cancelAtGroup(false)
	select {
	case <-told:
	case <-k.aborted:
	}
	k.mu.Lock()
	if k.state == stopping {
		k.state = cancelled
		if !k.opts.noAck {
			k.handBack()
		}
	}
	k.mu.Unlock()
	signal(k.wake)

	idle := make(chan struct{})
	go func() { // ends when the handlers have
		k.workers.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-k.aborted:
		k.cancel(context.Canceled)
		k.cancelAtGroup(true)
		<-idle
	}
	k.waitSettled()
	k.mu.Lock()
	if k.unwatch != nil {
		k.unwatch()
	}
	k.mu.Unlock()
	k.retire()
}

// watch stops the consumer when ctx ends.
func (k *Consumer) watch(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	// The consumer's own context may end a moment later than its parent.
	k.unwatch = context.AfterFunc(ctx, func() { k.stopFor(ctx.Err()) })
}

// waitSettled waits until every settle is answered, but not for what the user
// of an iterator still has: that ends with its last settle or lease.
func (k *Consumer) waitSettled() {
	if k.handler == nil {
		return
	}
	k.mu.Lock()
	k.idle = true
	k.checkDrained()
	k.mu.Unlock()
	select {
	case <-k.drained:
	case <-k.aborted: // everything is handed back already
	case <-k.c.m.done:
	}
	k.mu.Lock()
	left := len(k.held) > 0 && !k.abort
	k.mu.Unlock()
	if left { // refused, for a reason that leaves the lease as it was
		k.cancelAtGroup(true)
	}
	k.cancel(nil)
}

// giveUp stops waiting for handlers.
func (k *Consumer) giveUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.abort {
		k.abort = true
		close(k.aborted)
	}
}

// isAborted tells whether nobody waits for the handlers.
func (k *Consumer) isAborted() bool {
	select {
	case <-k.aborted:
		return true
	default:
		return false
	}
}

// cancelAtGroup tells the group that the consumer ends; giveBack returns what
// it holds. The channel is closed when that is answered, or never will be.
func (k *Consumer) cancelAtGroup(giveBack bool) <-chan struct{} {
	over := make(chan struct{})
	k.mu.Lock()
	gone := k.state == ended
	k.mu.Unlock()
	if gone {
		close(over)
		return over
	}
	err := k.c.out.pushControl(&control{
		op: transport.OpCancel, name: "cancel", resource: k.queue,
		encode: func(dst []byte, h transport.OpHeader) []byte {
			return transport.Cancel{OpHeader: h, Consumer: k.number, Return: giveBack}.AppendTo(dst)
		},
		// Refused: the group knows no such consumer, which is what is wanted.
		done: func(*transport.Result, *Error) { close(over) },
	})
	if err != nil {
		close(over) // the connection is closed
	}
	return over
}

// retire lets the manager forget the consumer once it holds nothing.
func (k *Consumer) retire() {
	// Closed: the manager is gone and with it what it knew.
	_ = k.c.do(k.c.ctx, func(m *manager) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if len(k.held) == 0 || k.handler != nil {
			k.state = ended
			delete(m.consumers, k.number)
			return
		}
		k.leaving = true // its last settle or lease does it
		m.out.keepBy(time.Now().Add(keepPause))
	})
}
