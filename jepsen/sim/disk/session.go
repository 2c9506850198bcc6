package disk

import (
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cluster/store"
)

// Session is the disk as one process has it. It implements store.Disk.
type Session struct {
	disk *Disk
	gone chan struct{} // closed when the process lost the disk

	// Guarded by the disk's lock.
	image    *image
	underway []*write
	dead     bool
}

var _ store.Disk = (*Session)(nil)

// write is one that is not durable yet.
type write struct {
	apply func(*image)
	torn  func(*image, *rand.Rand) // nil: it is atomic
}

// write makes w durable, which takes the time of an fsync.
func (s *Session) write(op string, w *write) error {
	d := s.disk
	d.mu.Lock()
	if s.dead {
		w.apply(s.image)
		d.mu.Unlock()
		return nil
	}
	if err := d.faults.Write; err != nil {
		d.counts.Failed++
		d.mu.Unlock()
		return &fs.PathError{Op: op, Path: "write", Err: err}
	}
	d.counts.Syncs++
	took := d.sync/2 + time.Duration(d.rand.Int64N(int64(d.sync)+1))
	if d.faults.Slow > 0 {
		d.counts.Slowed++
		took += d.faults.Slow
	}
	s.underway = append(s.underway, w)
	var eased <-chan struct{}
	if d.faults.Slow > 0 {
		eased = d.eased
	}
	d.mu.Unlock()

	t := time.NewTimer(took)
	defer t.Stop()
	select {
	case <-t.C:
	case <-eased:
	case <-s.gone:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.forget(w)
	if err := d.faults.Sync; err != nil && !s.dead {
		d.counts.Failed++
		if d.rand.IntN(2) == 0 {
			w.apply(s.image)
		}
		return &fs.PathError{Op: op, Path: "fsync", Err: err}
	}
	w.apply(s.image)
	return nil
}

func (s *Session) forget(w *write) {
	for i := range s.underway {
		if s.underway[i] == w {
			s.underway = append(s.underway[:i], s.underway[i+1:]...)
			return
		}
	}
}

// look reads the image.
func (s *Session) look(f func(*image)) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	f(s.image)
}

// Settle implements store.Disk: a crash has already decided what is there.
func (s *Session) Settle() error { return nil }

// Found implements store.Disk.
func (s *Session) Found() (name string, err error) {
	s.look(func(m *image) {
		switch {
		case len(m.stable) > 0:
			name = "the vote"
		case len(m.log) > 0:
			name = "the log"
		case len(m.snaps) > 0:
			name = "a snapshot"
		}
	})
	return name, nil
}

// Sweep implements store.Disk: an interrupted snapshot leaves nothing here.
func (s *Session) Sweep() error { return nil }

// OpenStable implements store.Disk.
func (s *Session) OpenStable() (store.StableFile, error) { return stable{s}, nil }

// OpenLog implements store.Disk.
func (s *Session) OpenLog(store.Failures) (store.LogFile, error) { return logFile{s}, nil }

// OpenSnapshots implements store.Disk.
func (s *Session) OpenSnapshots() (raft.SnapshotStore, error) { return snapshots{s}, nil }
