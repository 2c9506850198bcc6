//go:build !wasip1

package store

import (
	"errors"
	"os"
	"sync"
	"time"

	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/types"
)

// raft-wal v0.4.0 has three faults around the end of a segment. All three are
// repaired from outside, through the interfaces that it offers.
//
//  1. Cutting the tail marks the segment as sealed without writing the index
//     that a sealed one is read by. After a restart nothing in it can be read.
//     walFiler.Open reads such a segment through, as an unsealed one.
//  2. A cut that comes between the last append to a segment and the background
//     rotation corrupts the list of segments. walLog.DeleteRange waits.
//  3. A process that dies in the same gap leaves a full segment that the list
//     calls unfinished. It opens, and refuses every append for ever.
//     walMeta.Load finishes the rotation.

// walFiler opens segments for raft-wal.
type walFiler struct {
	types.SegmentFiler

	mu       sync.Mutex
	rotating chan struct{} // not nil from the last append to a segment to the next segment
}

// Open implements types.SegmentFiler.
func (f *walFiler) Open(info types.SegmentInfo) (types.SegmentReader, error) {
	if info.IndexStart == 0 {
		return f.SegmentFiler.RecoverTail(info)
	}
	return f.SegmentFiler.Open(info)
}

// RecoverTail implements types.SegmentFiler.
func (f *walFiler) RecoverTail(info types.SegmentInfo) (types.SegmentWriter, error) {
	w, err := f.SegmentFiler.RecoverTail(info)
	if err != nil {
		return nil, err
	}
	return &walWriter{w, f}, nil
}

// Create implements types.SegmentFiler. raft-wal holds its lock from before
// this call until the new segment is in its list.
func (f *walFiler) Create(info types.SegmentInfo) (types.SegmentWriter, error) {
	f.mu.Lock()
	if f.rotating != nil {
		close(f.rotating)
		f.rotating = nil
	}
	f.mu.Unlock()
	w, err := f.SegmentFiler.Create(info)
	if err != nil {
		return nil, err
	}
	return &walWriter{w, f}, nil
}

// walWriter notices when raft-wal learns that its segment is full.
type walWriter struct {
	types.SegmentWriter
	filer *walFiler
}

func (w *walWriter) Sealed() (bool, uint64, error) {
	sealed, index, err := w.SegmentWriter.Sealed()
	if sealed {
		w.filer.mu.Lock()
		defer w.filer.mu.Unlock()
		if w.filer.rotating == nil {
			w.filer.rotating = make(chan struct{})
		}
	}
	return sealed, index, err
}

// walLog is raft-wal, called by one writer at a time.
type walLog struct {
	*wal.WAL
	filer  *walFiler
	broken Failures
}

// DeleteRange implements raft.LogStore.
func (l *walLog) DeleteRange(min, max uint64) error {
	l.filer.mu.Lock()
	rotating := l.filer.rotating
	l.filer.mu.Unlock()
	if rotating != nil {
		select {
		case <-rotating:
		case <-l.broken.Done(): // the rotation failed
			return l.broken.Err()
		}
	}
	return l.WAL.DeleteRange(min, max)
}

// walMeta is the list of segments, repaired when it is loaded. Whoever makes it
// closes it: raft-wal's Close does not, and the next open of the folder in this
// process would wait for its lock for ever.
type walMeta struct {
	walList
	segments     types.SegmentFiler
	segmentBytes int
	fail         func(error)
}

// CommitState implements types.MetaStore.
func (m *walMeta) CommitState(s types.PersistentState) error {
	err := m.walList.CommitState(s)
	if err != nil {
		m.fail(err)
	}
	return err
}

// Load implements types.MetaStore.
func (m *walMeta) Load(dir string) (types.PersistentState, error) {
	state, err := m.walList.Load(dir)
	if err != nil || len(state.Segments) == 0 {
		return state, err
	}
	tail := &state.Segments[len(state.Segments)-1]
	if !tail.SealTime.IsZero() {
		return state, nil
	}
	full, last, err := m.inspect(*tail)
	if err != nil || !full {
		return state, err
	}
	next := tail.MinIndex
	if last >= tail.MinIndex {
		// IndexStart stays 0: after a torn write the index is not to be
		// trusted, and Open manages without.
		tail.SealTime, tail.MaxIndex, next = time.Now(), last, last+1
	} else {
		state.Segments = state.Segments[:len(state.Segments)-1]
	}
	state.Segments = append(state.Segments, types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: next, MinIndex: next,
		Codec: wal.CodecBinaryV1, CreateTime: time.Now(), SizeLimit: uint32(m.segmentBytes),
	})
	state.NextSegmentID++
	return state, m.CommitState(state)
}

// inspect reports whether a segment takes no more entries, and its last one.
func (m *walMeta) inspect(info types.SegmentInfo) (full bool, last uint64, err error) {
	w, err := m.segments.RecoverTail(info)
	if errors.Is(err, os.ErrNotExist) {
		return false, 0, nil // raft-wal will create it
	}
	if err != nil {
		return false, 0, err
	}
	full, _, err = w.Sealed()
	return full, w.LastIndex(), errors.Join(err, w.Close())
}
