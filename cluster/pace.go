package cluster

import (
	"io"
	"time"
)

const (
	paceBytes = 4 << 20                // written between two pauses
	paceShare = 3                      // a pause lasts so many times as long as the writing before it
	paceMax   = 250 * time.Millisecond // bound of one pause
)

// pacedWriter leaves the disk to the log for most of the time while a snapshot
// of this replica's own is written. Nobody waits for such a snapshot; one that
// is received is written as fast as it goes.
type pacedWriter struct {
	w     io.Writer
	hurry <-chan struct{} // closed: no more pauses
	n     int64           // bytes in all
	dirty int
	spent time.Duration
}

func (p *pacedWriter) Write(b []byte) (int, error) {
	began := time.Now()
	n, err := p.w.Write(b)
	p.spent += time.Since(began)
	p.n += int64(n)
	if p.dirty += n; err == nil && p.dirty >= paceBytes {
		pause := time.NewTimer(min(p.spent*paceShare, paceMax))
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-p.hurry:
		}
		p.dirty, p.spent = 0, 0
	}
	return n, err
}
