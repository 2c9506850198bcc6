package body

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tidwall/btree"
)

// ErrMissing says that a body which should be here is not.
var ErrMissing = errors.New("body missing")

// liveShare: a block is copied out when less than 1/liveShare of its bytes live.
const liveShare = 4

// Store holds the bodies of one group. The zero Store is empty.
type Store struct {
	gen    uint64
	blocks btree.Map[uint64, *block] // by entry index
	count  uint64
	live   uint64 // bytes of live records
	held   uint64 // bytes of the slices that the blocks keep alive
	last   *block // the newest, which is written and often read
	lastAt uint64
}

// Add stores the record at entry[offset:offset+length] under the id
// (index, position). Indexes never fall, and within one the positions rise.
// The store keeps the slice from now on.
func (s *Store) Add(index uint64, position uint32, entry []byte, offset, length int) error {
	if offset < 0 || length < 0 || offset+length > len(entry) || len(entry) > math.MaxUint32 {
		return fmt.Errorf("body %d-%d: %d+%d outside of %d bytes", index, position, offset, length, len(entry))
	}
	b := s.block(index)
	if b == nil {
		b = &block{gen: s.gen, data: entry}
		s.blocks.Set(index, b)
		s.held += uint64(len(entry))
		s.last, s.lastAt = b, index
	}
	if n := len(b.slots); n > 0 && b.slots[n-1].position >= position {
		return fmt.Errorf("body %d-%d: added out of order", index, position)
	}
	b.slots = append(b.slots, slot{position: position, offset: uint32(offset), length: uint32(length)})
	b.live++
	b.liveBytes += uint64(length)
	s.count++
	s.live += uint64(length)
	return nil
}

// Settled says that no more is added under index: a block that is mostly
// something else than live records gives its entry back at once.
func (s *Store) Settled(index uint64) {
	if s.last != nil && s.lastAt == index {
		s.shrink(s.last)
	}
}

// Get returns the body of an id.
func (s *Store) Get(index uint64, position uint32) (Ref, error) {
	b := s.last
	if b == nil || s.lastAt != index {
		b, _ = s.blocks.Get(index)
	}
	return b.get(index, position)
}

// Retain adds a reference to a body, which one more Drop takes away.
func (s *Store) Retain(index uint64, position uint32) error {
	b := s.block(index)
	if b.find(position) < 0 {
		return fmt.Errorf("retain %d-%d: %w", index, position, ErrMissing)
	}
	i, ok := b.share(position)
	if !ok {
		b.shared = slices.Insert(b.shared, i, share{position: position})
	}
	b.shared[i].more++
	return nil
}

// Claim counts the references of restored bodies anew: the first claim takes
// the one that Add left, each further one adds one. Nothing may be dropped
// before Claimed.
func (s *Store) Claim(index uint64, position uint32) error {
	b := s.block(index)
	i := b.find(position)
	if i < 0 {
		return fmt.Errorf("claim %d-%d: %w", index, position, ErrMissing)
	}
	if b.claimed == nil {
		b.claimed = make([]bool, len(b.slots))
	}
	if b.claimed[i] {
		return s.Retain(index, position)
	}
	b.claimed[i] = true
	return nil
}

// Claimed ends the claims, and tells which body nobody claimed.
func (s *Store) Claimed() (err error) {
	s.blocks.Scan(func(index uint64, b *block) bool {
		for i := range b.slots {
			if b.claimed == nil || !b.claimed[i] {
				err = fmt.Errorf("body %d-%d is nobody's", index, b.slots[i].position)
				return false
			}
		}
		b.claimed = nil
		return true
	})
	return err
}

// Drop takes a reference away, and forgets the body with the last one. Refs
// handed out before stay good.
func (s *Store) Drop(index uint64, position uint32) error {
	b := s.block(index)
	i := b.find(position)
	if i < 0 {
		return fmt.Errorf("drop %d-%d: %w", index, position, ErrMissing)
	}
	if at, ok := b.share(position); ok {
		if b.shared[at].more--; b.shared[at].more == 0 {
			b.shared = slices.Delete(b.shared, at, at+1)
		}
		return nil
	}
	n := uint64(b.slots[i].length)
	b.slots[i].offset = dead
	b.live--
	b.liveBytes -= n
	s.count--
	s.live -= n
	if b.live == 0 {
		s.held -= uint64(len(b.data))
		s.blocks.Delete(index)
		if s.lastAt == index {
			s.last = nil
		}
		return nil
	}
	s.shrink(b)
	return nil
}

// Frees is how many bytes go with a reference that is dropped: none while there
// are others.
func (s *Store) Frees(index uint64, position uint32) uint64 {
	b := s.last
	if b == nil || s.lastAt != index {
		b, _ = s.blocks.Get(index)
	}
	i := b.find(position)
	if i < 0 || b.references(position) > 1 {
		return 0
	}
	return uint64(b.slots[i].length)
}

// Each visits the ids of all bodies, in their order, with how many references
// they have.
func (s *Store) Each(visit func(index uint64, position uint32, references uint64)) {
	s.blocks.Scan(func(index uint64, b *block) bool {
		for _, slot := range b.slots {
			if slot.offset != dead {
				visit(index, slot.position, b.references(slot.position))
			}
		}
		return true
	})
}

// block returns the block of an index for changing it, nil if there is none.
func (s *Store) block(index uint64) *block {
	b := s.last
	if b == nil || s.lastAt != index {
		b, _ = s.blocks.Get(index)
	}
	if b == nil || b.gen == s.gen {
		return b
	}
	b = b.clone(s.gen)
	s.blocks.Set(index, b)
	if s.lastAt == index {
		s.last = b
	}
	return b
}

func (s *Store) shrink(b *block) {
	if b.liveBytes*liveShare < uint64(len(b.data)) {
		s.held -= uint64(len(b.data))
		b.compact()
		s.held += uint64(len(b.data))
	}
}

// Len is the number of bodies.
func (s *Store) Len() uint64 { return s.count }

// Bytes is the sum of their lengths.
func (s *Store) Bytes() uint64 { return s.live }

// Held is how many bytes are kept in memory for them.
func (s *Store) Held() uint64 { return s.held }
