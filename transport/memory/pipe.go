package memory

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

var errEOF = io.EOF

// pipe is one direction of a connection: a bounded buffer that may be cut,
// ended by its writer, or broken.
type pipe struct {
	twin    *pipe // the other direction, reset together with this one
	link    link
	weather Weather // nil: bytes arrive at once

	mu        sync.Mutex    // guards what follows; never held while waiting
	changed   chan struct{} // closed at the next change; nil if nobody waits
	buf       []byte
	off       int       // of the first unread byte in buf
	underway  []segment // what is in buf and has not arrived, in order; with weather only
	arrived   int       // bytes of buf from off on that have
	endDue    time.Time // when the end arrives
	cut       bool
	cutAt     time.Time
	ended     bool // by its writer: the reader sees the end after the last byte
	broken    bool // reset: both sides see it at once
	readGone  bool // the reading end was closed
	writeGone bool // the writing end was closed
}

// segment is bytes that arrive together.
type segment struct {
	bytes int
	due   time.Time
}

func newPipe(l link, w Weather) *pipe { return &pipe{link: l, weather: w} }

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

func (p *pipe) abandonRead()  { p.update(func() { p.readGone = true; p.forget() }) }
func (p *pipe) abandonWrite() { p.update(func() { p.writeGone = true }) }

// end lets the end of the stream travel behind the last byte.
func (p *pipe) end() {
	p.update(func() {
		if p.ended {
			return
		}
		p.ended, p.endDue = true, p.due(0)
	})
}

// setCut stops the direction or lets it go on. What waited is sent again by
// its sender, who has become slow about it.
func (p *pipe) setCut(cut bool) {
	p.update(func() {
		switch {
		case cut && !p.cut:
			p.cutAt = time.Now()
		case !cut && p.cut && p.weather != nil && (len(p.underway) > 0 || p.ended):
			now := time.Now()
			p.delayUntil(now.Add(p.weather.Thaw(p.link.from, p.link.to, now.Sub(p.cutAt))))
		}
		p.cut = cut
	})
}

// delayUntil lets nothing that is under way arrive earlier. The caller holds mu.
func (p *pipe) delayUntil(t time.Time) {
	for i := range p.underway {
		p.underway[i].due = later(p.underway[i].due, t)
	}
	if p.ended {
		p.endDue = later(p.endDue, t)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// reset breaks both directions.
func (p *pipe) reset() {
	p.update(func() { p.broken = true; p.forget() })
	p.twin.update(func() { p.twin.broken = true; p.twin.forget() })
}

// forget drops every byte. The caller holds mu.
func (p *pipe) forget() { p.buf, p.off, p.underway, p.arrived = nil, 0, nil, 0 }

// due is when what is sent now arrives; never before what was sent earlier.
// The caller holds mu.
func (p *pipe) due(bytes int) time.Time {
	if p.weather == nil {
		return time.Time{}
	}
	t := time.Now().Add(p.weather.Travel(p.link.from, p.link.to, bytes))
	if n := len(p.underway); n > 0 {
		t = later(t, p.underway[n-1].due)
	}
	return t
}

// arrive counts what has arrived by now, and returns when the next does. The
// caller holds mu.
func (p *pipe) arrive() (next time.Time) {
	if p.weather == nil {
		p.arrived = len(p.buf) - p.off
		return time.Time{}
	}
	now, gone := time.Now(), 0
	for _, s := range p.underway {
		if s.due.After(now) {
			next = s.due
			break
		}
		p.arrived += s.bytes
		gone++
	}
	p.underway = p.underway[:copy(p.underway, p.underway[gone:])]
	if next.IsZero() && p.ended && p.endDue.After(now) {
		next = p.endDue
	}
	return next
}

// read waits for bytes until over is closed.
func (p *pipe) read(b []byte, over <-chan struct{}) (int, error) {
	var timer *time.Timer
	for {
		n, wait, next, err := p.tryRead(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		select {
		case <-over:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		var arrival <-chan time.Time
		if !next.IsZero() {
			if timer == nil {
				timer = time.NewTimer(time.Until(next))
				defer timer.Stop()
			} else {
				timer.Reset(time.Until(next))
			}
			arrival = timer.C
		}
		select {
		case <-wait:
		case <-arrival:
		case <-over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// tryRead returns what to wait for if there is nothing to read: the next
// change, or the moment at which something arrives.
func (p *pipe) tryRead(b []byte) (n int, wait <-chan struct{}, next time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readGone:
		return 0, nil, next, net.ErrClosed
	case p.broken:
		return 0, nil, next, syscall.ECONNRESET
	case p.cut:
		return 0, p.next(), next, nil
	}
	next = p.arrive()
	switch {
	case p.arrived > 0:
		n = copy(b, p.buf[p.off:p.off+p.arrived])
		p.off += n
		p.arrived -= n
		if p.off == len(p.buf) {
			p.buf, p.off = p.buf[:0], 0
		}
		p.tell()
		return n, nil, next, nil
	case p.ended && next.IsZero():
		return 0, nil, next, errEOF
	}
	return 0, p.next(), next, nil
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
		p.send(n)
	}
	return n, nil, nil
}

// send puts bytes at the end of buf on their way. A reader who waits for
// something that is under way already need not know. The caller holds mu.
func (p *pipe) send(bytes int) {
	if p.weather == nil {
		p.tell()
		return
	}
	due := p.due(bytes)
	if n := len(p.underway); n > 0 {
		if p.underway[n-1].due.Equal(due) {
			p.underway[n-1].bytes += bytes
		} else {
			p.underway = append(p.underway, segment{bytes, due})
		}
		return
	}
	p.underway = append(p.underway, segment{bytes, due})
	p.tell()
}
