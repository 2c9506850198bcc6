//go:build linux

package ferryfs

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	sectorBytes = 512
	blockBytes  = 4096

	// overheadBytes is what an entry of the undo memory costs beside contents.
	overheadBytes = 96
)

// shadow remembers, for one file, what the disk holds where the file is
// different from it. Its file's lock guards it. The invariant: wherever there
// is no block, the file's bytes are the durable ones up to the durable size,
// and zero beyond.
type shadow struct {
	size    int64 // of the file as its users see it
	durable int64 // the size that survives
	blocks  map[int64]*block
	counts  *counts
	max     int64
}

// block is one changed block of a file.
type block struct {
	old   []byte // its durable bytes; nil: all zero
	dirty uint8  // a bit for each sector that was written
	dead  bool   // an fsync failed: no later one makes these bytes durable
}

func (b *block) cost() int64 { return int64(len(b.old)) + overheadBytes }

var zeros [blockBytes]byte

// preserve remembers what is about to be overwritten in [off, off+n).
func (s *shadow) preserve(f io.ReaderAt, off, n int64) error {
	for i := off / blockBytes; n > 0 && i <= (off+n-1)/blockBytes; i++ {
		b := s.blocks[i]
		if b == nil {
			old, err := s.read(f, i)
			if err != nil {
				return err
			}
			b = &block{old: old}
			if s.counts.unsyncedBytes.Load()+b.cost() > s.max {
				s.force()
			}
			s.blocks[i] = b
			s.counts.unsyncedBytes.Add(b.cost())
		}
		b.dead = false
		from := max(off-i*blockBytes, 0) / sectorBytes
		to := (min(off+n-i*blockBytes, blockBytes) + sectorBytes - 1) / sectorBytes
		for sector := from; sector < to; sector++ {
			b.dirty |= 1 << sector
		}
	}
	return nil
}

// read gives the durable bytes of a block that is not remembered yet.
func (s *shadow) read(f io.ReaderAt, i int64) ([]byte, error) {
	there := min(s.durable-i*blockBytes, blockBytes)
	if there <= 0 {
		return nil, nil
	}
	old := make([]byte, blockBytes)
	if _, err := f.ReadAt(old[:there], i*blockBytes); err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.Equal(old, zeros[:]) {
		return nil, nil
	}
	return old, nil
}

// force takes the file as fsynced, because the memory is full.
func (s *shadow) force() {
	s.counts.forced.Add(1)
	s.clear()
}

func (s *shadow) clear() {
	for _, b := range s.blocks {
		s.counts.unsyncedBytes.Add(-b.cost())
	}
	clear(s.blocks)
	s.durable = s.size
}

// synced is an fsync that worked.
func (s *shadow) synced() {
	for i, b := range s.blocks {
		if !b.dead {
			s.counts.unsyncedBytes.Add(-b.cost())
			delete(s.blocks, i)
		}
	}
	s.durable = s.size
}

// failed is an fsync that did not.
func (s *shadow) failed() {
	for _, b := range s.blocks {
		b.dead = true
	}
}

func (s *shadow) clean() bool { return len(s.blocks) == 0 && s.size == s.durable }

// lose makes the file what a power loss leaves of it. Without a random source
// nothing survives that was not fsynced; with one, any subset of the sectors
// does, and the new size or the old. It returns how many sectors and sizes
// were undone.
func (s *shadow) lose(f *os.File, random *rand.Rand) (sectors, sizes int64, err error) {
	size := s.durable
	if random != nil && random.IntN(2) == 0 {
		size = s.size
	}
	for _, i := range s.sorted() {
		n, err := s.undo(f, i, size, random)
		if err != nil {
			return sectors, sizes, err
		}
		sectors += n
	}
	if size != s.size {
		sizes = 1
	}
	// Also where the size stays: the last sector may have been written whole.
	if err := unix.Ftruncate(int(f.Fd()), size); err != nil {
		return sectors, sizes, err
	}
	s.size = size
	s.clear()
	return sectors, sizes, nil
}

func (s *shadow) sorted() []int64 {
	order := make([]int64, 0, len(s.blocks))
	for i := range s.blocks {
		order = append(order, i)
	}
	slices.Sort(order)
	return order
}

// undo puts the durable bytes back in the sectors of a block that do not
// survive. A sector beyond the end was cut off: it is back if the old size is.
func (s *shadow) undo(f *os.File, i, size int64, random *rand.Rand) (n int64, err error) {
	b := s.blocks[i]
	old := b.old
	if old == nil {
		old = zeros[:]
	}
	for sector := range int64(blockBytes / sectorBytes) {
		if b.dirty&(1<<sector) == 0 {
			continue
		}
		off := i*blockBytes + sector*sectorBytes
		survives := random != nil && !b.dead && random.IntN(2) == 0
		if off >= size || survives && off < s.size {
			continue
		}
		if _, err := f.WriteAt(old[sector*sectorBytes:][:sectorBytes], off); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
