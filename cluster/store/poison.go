package store

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// poison remembers the first failure of a store, for good. After a failed
// fsync the kernel may have dropped the dirty pages and a repeated fsync
// succeeds without them; after a hang the write may still land. Neither leaves
// a store that this process may trust.
type poison struct {
	onHang  func(op string, took time.Duration)
	onFatal func(err error)
	logger  *slog.Logger

	// armed is set once Open has succeeded: before, a failure is Open's error
	// and not the caller's emergency.
	armed atomic.Bool

	once  sync.Once
	done  chan struct{}
	cause error // written before done is closed
}

func newPoison(o Options) *poison {
	return &poison{onHang: o.OnHang, onFatal: o.OnFatal, logger: o.Logger, done: make(chan struct{})}
}

// err is nil while the store may be used.
func (p *poison) err() error {
	select {
	case <-p.done:
		return fmt.Errorf("%w: %w", ErrPoisoned, p.cause)
	default:
		return nil
	}
}

// fatal poisons the store because of err.
func (p *poison) fatal(err error) {
	p.once.Do(func() {
		p.cause = err
		close(p.done)
		p.logger.Error("store failed and is poisoned", "error", err)
		if p.armed.Load() {
			p.onFatal(err)
		}
	})
}

// Fail implements Failures.
func (p *poison) Fail(err error) { p.fatal(err) }

// Done implements Failures.
func (p *poison) Done() <-chan struct{} { return p.done }

// Err implements Failures.
func (p *poison) Err() error { return p.err() }

// hang poisons the store because op has not returned.
func (p *poison) hang(op string, took time.Duration) {
	p.once.Do(func() {
		p.cause = fmt.Errorf("%s after %v: %w", op, took, ErrHung)
		close(p.done)
		p.logger.Error("store call hangs, store is poisoned", "op", op, "took", took)
		if p.armed.Load() {
			p.onHang(op, took)
		}
	})
}
