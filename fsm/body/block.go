package body

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// dead as an offset marks a dropped record.
const dead = math.MaxUint32

type slot struct {
	position uint32
	offset   uint32
	length   uint32
}

// share counts the references to a record besides the first one.
type share struct {
	position uint32
	more     uint32
}

// block holds the records of one entry. It is changed only in the generation
// it was made in.
type block struct {
	gen       uint64
	data      []byte  // the entry, or the survivors of it; never written to
	slots     []slot  // by position
	shared    []share // of records with more than one reference, by position
	claimed   []bool  // see Claim
	live      int
	liveBytes uint64
}

func (b *block) clone(gen uint64) *block {
	c := *b
	c.gen = gen
	c.slots = slices.Clone(b.slots)
	c.shared = slices.Clone(b.shared)
	return &c
}

// find returns the slot of a live position, or -1.
func (b *block) find(position uint32) int {
	if b == nil {
		return -1
	}
	i := sort.Search(len(b.slots), func(i int) bool { return b.slots[i].position >= position })
	if i == len(b.slots) || b.slots[i].position != position || b.slots[i].offset == dead {
		return -1
	}
	return i
}

// share returns where the further references to a position are counted, or
// would be.
func (b *block) share(position uint32) (i int, ok bool) {
	return slices.BinarySearchFunc(b.shared, position, func(s share, p uint32) int { return cmp.Compare(s.position, p) })
}

// references to a live position.
func (b *block) references(position uint32) uint64 {
	if i, ok := b.share(position); ok {
		return 1 + uint64(b.shared[i].more)
	}
	return 1
}

func (b *block) get(index uint64, position uint32) (Ref, error) {
	i := b.find(position)
	if i < 0 {
		return Ref{}, fmt.Errorf("get %d-%d: %w", index, position, ErrMissing)
	}
	return Ref{data: b.bytes(b.slots[i])}, nil
}

func (b *block) bytes(s slot) []byte {
	end := s.offset + s.length
	return b.data[s.offset:end:end]
}

// compact copies the survivors into a slice of their own.
func (b *block) compact() {
	data := make([]byte, 0, b.liveBytes)
	slots := make([]slot, 0, b.live)
	for _, s := range b.slots {
		if s.offset == dead {
			continue
		}
		at := len(data)
		data = append(data, b.bytes(s)...)
		slots = append(slots, slot{position: s.position, offset: uint32(at), length: s.length})
	}
	b.data, b.slots = data, slots
}
