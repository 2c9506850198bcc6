package pages

import (
	"math/bits"

	"github.com/tidwall/btree"
)

// Iter walks the keys of a map in their order. The map must not be changed
// meanwhile.
type Iter[V any] struct {
	pages btree.MapIter[uint64, *page[V]]
	page  *page[V]
	left  uint32 // bits of its keys that were not passed, with the one it is at
	rank  int
}

// Iter returns an iterator that is at no key yet.
func (m *Map[V]) Iter() *Iter[V] { return &Iter[V]{pages: m.pages.Iter()} }

// First goes to the lowest key; false if there is none.
func (it *Iter[V]) First() bool { return it.Seek(0) }

// Seek goes to the lowest key that is not below this one; false if there is none.
func (it *Iter[V]) Seek(key uint64) bool {
	if !it.pages.Seek(key / perPage) {
		return false
	}
	it.enter()
	if it.pages.Key() == key/perPage {
		it.rank = it.page.rank(key)
		it.left &^= bit(key) - 1
	}
	return it.left != 0 || it.turn()
}

// Next goes to the next key; false if there is none.
func (it *Iter[V]) Next() bool {
	it.left &= it.left - 1
	it.rank++
	return it.left != 0 || it.turn()
}

// Key is the key that the iterator is at.
func (it *Iter[V]) Key() uint64 {
	return it.pages.Key()*perPage + uint64(bits.TrailingZeros32(it.left))
}

// Value is its value.
func (it *Iter[V]) Value() V { return it.page.at(it.rank) }

func (it *Iter[V]) turn() bool {
	if !it.pages.Next() {
		return false
	}
	it.enter()
	return true
}

func (it *Iter[V]) enter() {
	it.page = it.pages.Value()
	it.left, it.rank = it.page.used, 0
}
