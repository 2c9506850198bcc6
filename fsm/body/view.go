package body

import "github.com/tidwall/btree"

// View is what lived when it was taken. It may be used by one goroutine at a
// time, another one than the store's.
type View struct {
	blocks *btree.Map[uint64, *block]
	count  uint64
}

// View pins what lives now, without copying it.
func (s *Store) View() *View {
	s.gen++
	return &View{blocks: s.blocks.Copy(), count: s.count}
}

// Len is the number of bodies.
func (v *View) Len() uint64 { return v.count }

// Get returns the body of an id.
func (v *View) Get(index uint64, position uint32) (Ref, error) {
	b, _ := v.blocks.Get(index)
	return b.get(index, position)
}

// Each visits every entry that has live bodies, by index: first with how many
// there are and their bytes, then each body by position.
func (v *View) Each(entry func(index uint64, count int, bytes uint64) error,
	body func(position uint32, data []byte) error) error {
	var err error
	v.blocks.Scan(func(index uint64, b *block) bool {
		if err = entry(index, b.live, b.liveBytes); err != nil {
			return false
		}
		for _, s := range b.slots {
			if s.offset == dead {
				continue
			}
			if err = body(s.position, b.bytes(s)); err != nil {
				return false
			}
		}
		return true
	})
	return err
}
