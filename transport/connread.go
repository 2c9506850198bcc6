package transport

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// ReadFrame reads the next frame. The payload uses buf's memory if that is
// large enough: pass the last payload to reuse it, or nil to keep every one.
// Bytes that are wrong give a *FrameError with the offset in the stream after
// the preface; nothing can be read after it.
func (c *Conn) ReadFrame(buf []byte) (Frame, error) {
	f, err := readFrame(c.in, c.header[:], buf, c.limit.Load())
	if err == nil {
		c.offset += int64(f.Size())
		return f, nil
	}
	var wrong *FrameError
	if errors.As(err, &wrong) {
		wrong.Offset += c.offset
		wrong.Of = "stream"
		return Frame{}, err
	}
	if why := c.Err(); why != nil {
		return Frame{}, why
	}
	return Frame{}, err
}

// Buffered tells whether bytes of the next frame are here already: if not,
// reading on may block.
func (c *Conn) Buffered() bool { return c.in.Buffered() > 0 }

// SetFrameMax changes the largest payload that is read.
func (c *Conn) SetFrameMax(n uint32) { c.limit.Store(n) }

// SetReadTimeout has ReadFrame fail when not a byte arrives for d, or a little
// longer. 0 turns it off.
func (c *Conn) SetReadTimeout(d time.Duration) {
	c.src.timeout.Store(int64(d))
	c.src.rearm(time.Now())
}

// SetReadDeadline has ReadFrame fail at t, whatever arrives. Zero turns it off.
func (c *Conn) SetReadDeadline(t time.Time) {
	nanos := int64(0)
	if !t.IsZero() {
		nanos = t.UnixNano()
	}
	c.src.until.Store(nanos)
	c.src.rearm(time.Now())
}

// LastRead is when the last bytes arrived.
func (c *Conn) LastRead() time.Time { return time.Unix(0, c.src.last.Load()) }

// source reads from the network, keeps the time of the last bytes and moves
// the deadline.
type source struct {
	nc      net.Conn
	last    atomic.Int64 // nanoseconds of Unix time, like the next four
	timeout atomic.Int64
	until   atomic.Int64
	armed   atomic.Int64
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.nc.Read(b)
	if n > 0 {
		now := time.Now()
		s.last.Store(now.UnixNano())
		// Setting a deadline costs; a quarter of the timeout is close enough.
		if d := s.timeout.Load(); d > 0 && now.UnixNano()-s.armed.Load() > d/4 {
			s.rearm(now)
		}
	}
	return n, err
}

// rearm sets the connection's deadline from now on. An error means that the
// connection is closed, which the next Read says as well.
func (s *source) rearm(now time.Time) {
	var deadline time.Time
	if d := s.timeout.Load(); d > 0 {
		deadline = now.Add(time.Duration(d + d/4))
		s.armed.Store(now.UnixNano())
	}
	if u := s.until.Load(); u > 0 && (deadline.IsZero() || u < deadline.UnixNano()) {
		deadline = time.Unix(0, u)
	}
	_ = s.nc.SetReadDeadline(deadline)
}
