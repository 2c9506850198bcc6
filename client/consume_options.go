package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Defaults of a consumer.
const (
	defaultPrefetch      = 32
	defaultPrefetchBytes = 8 << 20
)

// ConsumeOption of Consume and Messages.
type ConsumeOption func(*consumeOptions)

type consumeOptions struct {
	prefetch      int
	prefetchBytes int
	concurrency   int
	noAck         bool
	limit         uint64 // without acks: messages in all; 0: no limit
	lease         time.Duration
	noExtend      bool
	errorFunc     func(error)
	leaseWarning  func(*Delivery)
	attachedFunc  func(bool)
}

// WithPrefetch bounds the unsettled messages that the consumer holds (32).
func WithPrefetch(n int) ConsumeOption { return func(o *consumeOptions) { o.prefetch = n } }

// WithPrefetchBytes bounds their bytes (8 MiB).
func WithPrefetchBytes(n int) ConsumeOption {
	return func(o *consumeOptions) { o.prefetchBytes = n }
}

// WithConcurrency is the number of handlers that run at once (1).
func WithConcurrency(n int) ConsumeOption { return func(o *consumeOptions) { o.concurrency = n } }

// WithoutAcks makes the consumer at-most-once: a message is gone when it is
// assigned, whatever becomes of it; settling one does nothing.
func WithoutAcks() ConsumeOption { return func(o *consumeOptions) { o.noAck = true } }

// WithLimit bounds the messages that a consumer without acks is assigned in all,
// for one that is left after so many: what it was assigned beyond them would be
// lost. It bounds the prefetch, too, so that bytes do not hold up the last of them.
// What is lost with a link does not count, and up to a prefetch more may be assigned
// when the session is attached again.
func WithLimit(n uint64) ConsumeOption { return func(o *consumeOptions) { o.limit = n } }

// WithLease replaces the queue's lease.
func WithLease(d time.Duration) ConsumeOption { return func(o *consumeOptions) { o.lease = d } }

// WithAutoExtend (true by default) extends the lease of a message that a
// handler, or the iterator's loop, works on when half of it is over.
func WithAutoExtend(extend bool) ConsumeOption {
	return func(o *consumeOptions) { o.noExtend = !extend }
}

// WithErrorFunc is told of what no call reports: a message that arrived
// corrupt (ErrMalformed), a handler's settle that was refused (ErrLeaseLost).
// It must not block.
func WithErrorFunc(f func(error)) ConsumeOption {
	return func(o *consumeOptions) { o.errorFunc = f }
}

// WithLeaseWarning is told of a delivery that is worked on when 80 % of its
// lease are over and it could not be extended, or is not to be; once, and once
// more whenever the lease was extended since. It runs on the goroutine of the
// callbacks and must not block.
func WithLeaseWarning(f func(*Delivery)) ConsumeOption {
	return func(o *consumeOptions) { o.leaseWarning = f }
}

// WithAttachedFunc is told when the queue's leader has attached the consumer,
// and when that is over because the link or the leader was lost. Only while it
// is attached does it mean anything that no message comes. It runs on the
// goroutine that runs the connection: it must not block nor call the Conn.
func WithAttachedFunc(f func(attached bool)) ConsumeOption {
	return func(o *consumeOptions) { o.attachedFunc = f }
}

func (o *consumeOptions) fillDefaults() {
	if o.prefetch == 0 {
		o.prefetch = defaultPrefetch
	}
	if o.prefetchBytes == 0 {
		o.prefetchBytes = defaultPrefetchBytes
	}
	if o.limit > 0 && o.prefetch > 0 && o.prefetchBytes > 0 {
		few := max(1, o.prefetchBytes/transport.MessageMax)
		o.prefetch = int(min(o.limit, uint64(min(o.prefetch, few))))
	}
	if o.concurrency == 0 {
		o.concurrency = 1
	}
	if o.errorFunc == nil {
		o.errorFunc = func(error) {}
	}
}

func (o *consumeOptions) validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(o.prefetch > 0 && o.prefetch <= MaxPrefetch,
		"prefetch %d: 1 to %d are possible", o.prefetch, MaxPrefetch)
	bad(o.prefetchBytes > 0 && o.prefetchBytes <= MaxPrefetchBytes,
		"prefetch of %d bytes: 1 to %d are possible", o.prefetchBytes, MaxPrefetchBytes)
	bad(o.concurrency > 0 && o.concurrency <= MaxConcurrency,
		"concurrency %d: 1 to %d are possible", o.concurrency, MaxConcurrency)
	bad(o.limit == 0 || o.noAck, "a limit of %d messages is for a consumer without acks", o.limit)
	bad(o.lease == 0 || (o.lease >= MinLease && o.lease <= MaxLease),
		"lease %v: %v to %v are possible", o.lease, MinLease, MaxLease)
	return errors.Join(errs...)
}
