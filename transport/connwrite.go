package transport

import (
	"net"
	"time"
)

// write is the connection's writer. It ends when the connection fails or is
// closed, or when the outbox is closed and empty.
func (c *Conn) write() {
	defer close(c.done)
	var (
		to      = rawConn(c.nc)
		batch   []segment
		buffers net.Buffers
		timer   = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	timer.Stop()
	for {
		var last bool
		batch, last = c.out.take(batch[:0])
		if last {
			return
		}
		if len(batch) == 0 {
			if !c.idle(timer) {
				return
			}
			continue
		}
		buffers = buffers[:0]
		for i := range batch {
			buffers = append(buffers, batch[i].b)
		}
		if err := c.writeBatch(to, buffers); err != nil {
			c.fail(err)
			return
		}
		c.out.release(batch)
	}
}

// writeBatch writes everything, in one system call where there are such.
func (c *Conn) writeBatch(to net.Conn, buffers net.Buffers) error {
	now := time.Now()
	if err := to.SetWriteDeadline(now.Add(c.opts.WriteTimeout)); err != nil {
		return err
	}
	c.lastWrite.Store(now.UnixNano())
	if len(buffers) == 1 {
		_, err := to.Write(buffers[0])
		return err
	}
	_, err := buffers.WriteTo(to)
	return err
}

// idle waits until something is to be done, and queues a Ping when nothing was
// written for the heartbeat's interval. It returns false when the connection
// is gone.
func (c *Conn) idle(timer *time.Timer) bool {
	if every := time.Duration(c.heartbeat.Load()); every > 0 {
		silent := time.Since(time.Unix(0, c.lastWrite.Load()))
		if silent >= every {
			c.lastWrite.Store(time.Now().UnixNano())
			// Refused only by an outbox that is closed or not empty: no Ping is due then.
			return c.out.push(Frame{Op: OpPing}) == nil || c.alive()
		}
		timer.Reset(every - silent)
	}
	select {
	case <-c.out.wake:
	case <-timer.C:
	case <-c.gone:
		return false
	}
	timer.Stop()
	return true
}

func (c *Conn) alive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// SetHeartbeat has a Ping on stream 0 sent whenever nothing was written for
// the interval, and the connection fail when nothing was read for three.
// Whoever reads answers a Ping with a Pong. 0 turns it off.
func (c *Conn) SetHeartbeat(interval time.Duration) {
	c.heartbeat.Store(int64(interval))
	c.SetReadTimeout(3 * interval)
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.added(0) // the writer looks at the interval
}

// LastWrite is when the last bytes were handed to the network.
func (c *Conn) LastWrite() time.Time { return time.Unix(0, c.lastWrite.Load()) }

// lingerMax bounds the time and lingerBytes what is read after the last byte
// was written.
const (
	lingerMax   = time.Second
	lingerBytes = 1 << 20
)

// linger ends the sending half and waits for the other side to end its own. To
// close with unread bytes would reset the connection, and with it destroy an
// Error that the other side has not read yet. If that takes too long it calls
// end, which closes the connection.
func linger(nc net.Conn, timeout time.Duration, end func()) {
	half, ok := rawConn(nc).(interface{ CloseWrite() error })
	if !ok || timeout <= 0 || half.CloseWrite() != nil {
		return
	}
	timer := time.AfterFunc(min(timeout, lingerMax), end) // unblocks the read
	defer timer.Stop()
	b := make([]byte, 4<<10)
	for total := 0; total < lingerBytes; {
		n, err := nc.Read(b)
		if err != nil {
			return // the end, or the connection is gone: nothing to save any more
		}
		total += n
	}
}
