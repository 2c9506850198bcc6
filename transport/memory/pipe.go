package memory

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

var errEOF = io.EOF

// pipe is one direction of a connection: a bounded buffer that may be cut,
// ended by its writer, or broken.
type pipe struct {
	twin *pipe // the other direction, reset together with this one

	mu        sync.Mutex    // guards what follows; never held while waiting
	changed   chan struct{} // closed at the next change; nil if nobody waits
	buf       []byte
	off       int // of the first unread byte in buf
	cut       bool
	ended     bool // by its writer: the reader sees the end after the last byte
	broken    bool // reset: both sides see it at once
	readGone  bool // the reading end was closed
	writeGone bool // the writing end was closed
}

func newPipe() *pipe { return &pipe{} }

// tell wakes everybody who waits. The caller holds mu.
func (p *pipe) tell() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// next is closed at the next change. The caller holds mu.
func (p *pipe) next() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

func (p *pipe) update(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.tell()
}

func (p *pipe) setCut(cut bool) { p.update(func() { p.cut = cut }) }
func (p *pipe) end()            { p.update(func() { p.ended = true }) }
func (p *pipe) abandonRead()    { p.update(func() { p.readGone = true; p.buf = nil; p.off = 0 }) }
func (p *pipe) abandonWrite()   { p.update(func() { p.writeGone = true }) }

// reset breaks both directions.
func (p *pipe) reset() {
	p.update(func() { p.broken = true; p.buf = nil; p.off = 0 })
	p.twin.update(func() { p.twin.broken = true; p.twin.buf = nil; p.twin.off = 0 })
}

// read waits for bytes until over is closed.
func (p *pipe) read(b []byte, over <-chan struct{}) (int, error) {
	for {
		n, wait, err := p.tryRead(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		select {
		case <-over:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		select {
		case <-wait:
		case <-over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (p *pipe) tryRead(b []byte) (n int, wait <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readGone:
		return 0, nil, net.ErrClosed
	case p.broken:
		return 0, nil, syscall.ECONNRESET
	case p.cut:
		return 0, p.next(), nil
	case p.off < len(p.buf):
		n = copy(b, p.buf[p.off:])
		p.off += n
		if p.off == len(p.buf) {
			p.buf, p.off = p.buf[:0], 0
		}
		p.tell()
		return n, nil, nil
	case p.ended:
		return 0, nil, errEOF
	}
	return 0, p.next(), nil
}

// write waits for room until over is closed.
func (p *pipe) write(b []byte, over <-chan struct{}) (done int, err error) {
	for {
		select {
		case <-over:
			return done, os.ErrDeadlineExceeded
		default:
		}
		n, wait, err := p.tryWrite(b[done:])
		done += n
		if err != nil || done == len(b) {
			return done, err
		}
		if wait == nil {
			continue
		}
		select {
		case <-wait:
		case <-over:
			return done, os.ErrDeadlineExceeded
		}
	}
}

func (p *pipe) tryWrite(b []byte) (n int, wait <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.writeGone:
		return 0, nil, net.ErrClosed
	case p.broken:
		return 0, nil, syscall.ECONNRESET
	case p.ended, p.readGone && !p.cut:
		return 0, nil, syscall.EPIPE
	}
	room := bufferMax - (len(p.buf) - p.off)
	if room <= 0 {
		return 0, p.next(), nil
	}
	if p.off > 0 && len(p.buf)+min(room, len(b)) > cap(p.buf) {
		p.buf = p.buf[:copy(p.buf, p.buf[p.off:])]
		p.off = 0
	}
	n = min(room, len(b))
	if n > 0 {
		p.buf = append(p.buf, b[:n]...)
		p.tell()
	}
	return n, nil, nil
}
