package disk

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"

	"github.com/ferrymq/ferrymq/cluster/store"
)

// mark is the open file of the watermark. What was written and not synced is
// read, as from a page cache.
type mark struct {
	*Session
	written []patch // the one goroutine's that writes
}

type patch struct {
	off  int64
	data []byte
}

// OpenMark implements store.Disk.
func (s *Session) OpenMark() (store.MarkFile, error) {
	some := false
	s.look(func(m *image) { some = m.mark != nil })
	if !some {
		return nil, &fs.PathError{Op: "open", Path: "watermark", Err: fs.ErrNotExist}
	}
	return &mark{Session: s}, nil
}

// MakeMark implements store.Disk.
func (s *Session) MakeMark(content []byte) (store.MarkFile, error) {
	err := s.write("make watermark", &write{apply: func(m *image) { m.mark = slices.Clone(content) }})
	if err != nil {
		return nil, err
	}
	return &mark{Session: s}, nil
}

func (f *mark) ReadAt(p []byte, off int64) (n int, err error) {
	f.look(func(m *image) {
		if off < int64(len(m.mark)) {
			n = copy(p, m.mark[off:])
		}
	})
	for _, w := range f.written {
		if from, to := max(off, w.off), min(off+int64(n), w.off+int64(len(w.data))); from < to {
			copy(p[from-off:to-off], w.data[from-w.off:])
		}
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *mark) WriteAt(p []byte, off int64) (int, error) {
	f.written = append(f.written, patch{off, slices.Clone(p)})
	return len(p), nil
}

// Sync makes the writes durable. At a power loss each is there, or not, or
// its first bytes are.
func (f *mark) Sync() error {
	written := f.written
	f.written = nil
	return f.write("write watermark", &write{
		apply: func(m *image) {
			for _, w := range written {
				m.patch(w.off, w.data)
			}
		},
		torn: func(m *image, r *rand.Rand) {
			for _, w := range written {
				m.patch(w.off, w.data[:r.IntN(len(w.data)+1)])
			}
		},
	})
}

func (f *mark) Close() error { return nil }

func (m *image) patch(off int64, data []byte) {
	b := slices.Clone(m.mark)
	copy(b[off:], data)
	m.mark = b
}
