package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Conn carries frames over one network connection. One goroutine of its own
// writes; frames wait for it in an outbox bounded in bytes, and small ones
// leave together. Reading is the caller's: one goroutine at a time calls
// ReadFrame. All other methods may be called from anywhere. Close stops the
// writer and waits for it.
type Conn struct {
	nc   net.Conn
	opts ConnOptions

	in     *bufio.Reader
	src    source
	header [HeaderSize]byte // of the frame being read
	offset int64            // of the next frame in the stream; the reader's
	limit  atomic.Uint32

	heartbeat atomic.Int64
	lastWrite atomic.Int64

	out     outbox
	gone    chan struct{} // closed when the connection is of no more use
	goneOne sync.Once
	cause   atomic.Pointer[error] // why; set before gone is closed
	done    chan struct{}         // closed when the writer has ended
}

// NewConn takes over nc and starts the writer. The preface is past already.
// It panics on options that Validate refuses.
func NewConn(nc net.Conn, opts ConnOptions) *Conn {
	if err := opts.Validate(); err != nil {
		panic(err)
	}
	opts = opts.withDefaults()
	c := &Conn{
		nc:   nc,
		opts: opts,
		src:  source{nc: nc},
		out:  newOutbox(opts.OutboxMax),
		gone: make(chan struct{}),
		done: make(chan struct{}),
	}
	now := time.Now()
	c.src.last.Store(now.UnixNano())
	c.lastWrite.Store(now.UnixNano())
	c.limit.Store(opts.FrameMax)
	c.in = bufio.NewReaderSize(&c.src, opts.ReadBuffer)
	go c.write()
	return c
}

// NetConn is the connection underneath, for its addresses.
func (c *Conn) NetConn() net.Conn { return c.nc }

// RemoteAddr of the connection.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Send queues a frame, in the order of the calls, and blocks while the outbox
// is full. The payload may be reused after it returns. An error means that
// the frame will not be written; no error does not mean that it arrives.
func (c *Conn) Send(ctx context.Context, f Frame) error {
	return c.put(ctx, func() error { return c.out.push(f) })
}

// SendBuilt is Send for a frame, or several, that BeginFrame and EndFrame
// made. The connection owns b from now on.
func (c *Conn) SendBuilt(ctx context.Context, b []byte) error {
	return c.put(ctx, func() error { return c.out.pushBuilt(b) })
}

// TrySend is Send that never blocks: ErrOutboxFull when it would.
func (c *Conn) TrySend(f Frame) error {
	if err := c.out.push(f); err != nil {
		return c.reason(err)
	}
	return nil
}

// WaitRoom blocks while the outbox is full.
func (c *Conn) WaitRoom(ctx context.Context) error {
	return c.put(ctx, c.out.tryRoom)
}

// Queued tells how many bytes wait to be written or are being written.
func (c *Conn) Queued() int { return c.out.queuedBytes() }

// put repeats push until there is room for it.
func (c *Conn) put(ctx context.Context, push func() error) error {
	for {
		err := push()
		if !errors.Is(err, ErrOutboxFull) {
			return c.reason(err)
		}
		room := c.out.room()
		if room == nil { // there is some again
			continue
		}
		select {
		case <-room:
		case <-c.gone:
			return c.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// reason replaces ErrClosed by what closed the connection.
func (c *Conn) reason(err error) error {
	if errors.Is(err, ErrClosed) {
		if why := c.Err(); why != nil {
			return why
		}
	}
	return err
}

// Done is closed when the connection is of no more use.
func (c *Conn) Done() <-chan struct{} { return c.gone }

// Err tells why the connection is of no more use: an error that is ErrClosed
// and, if it was not closed here, the cause. It is nil before Done.
func (c *Conn) Err() error {
	p := c.cause.Load()
	if p == nil {
		return nil
	}
	if *p == nil {
		return ErrClosed
	}
	return fmt.Errorf("%w: %w", ErrClosed, *p)
}

// fail ends the connection. Only the first cause counts.
func (c *Conn) fail(cause error) error {
	var err error
	c.goneOne.Do(func() {
		c.cause.Store(&cause)
		c.out.close()
		err = c.nc.Close()
		close(c.gone)
	})
	return err
}

// Close ends the connection without writing what is queued, and waits for the
// writer. ReadFrame returns.
func (c *Conn) Close() error {
	err := c.fail(nil)
	<-c.done
	return err
}

// CloseAfterFlush takes no more frames, writes what is queued, tells the other
// side that no more comes, gives it a moment to read that, and closes. It takes
// no longer than timeout.
func (c *Conn) CloseAfterFlush(timeout time.Duration) error {
	until := time.Now().Add(timeout)
	c.out.close()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.done:
		linger(c.nc, time.Until(until), func() { c.fail(nil) }) // closes once: a second close is an error
	case <-timer.C:
	}
	return c.Close()
}

// Abort sends an Error about the connection and closes it after flushing. It
// takes no longer than timeout.
func (c *Conn) Abort(e *Error, timeout time.Duration) error {
	err := c.TrySend(Frame{Op: OpError, Payload: e.AppendTo(nil)})
	return errors.Join(err, c.CloseAfterFlush(timeout))
}
