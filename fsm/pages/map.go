package pages

import (
	"sync/atomic"

	"github.com/tidwall/btree"
)

// Map is an ordered map from uint64. Its zero value is empty and ready for use.
// One goroutine may change it; any number may read what none changes.
type Map[V any] struct {
	owner uint64                      // of the pages that may be changed in place
	pages btree.Map[uint64, *page[V]] // by the upper bits of their keys; none is empty
	count int
	hot   *page[V] // the last one changed, which most often is the next; nil: none
	hotAt uint64
	spare *page[V] // empty, to be used again; nil: none
}

// owners numbers the maps that came of a copy. It tells them apart and no more.
var owners atomic.Uint64

// Len is how many keys there are.
func (m *Map[V]) Len() int { return m.count }

// Copy returns a map of the same content. Pages are shared until one of the two
// changes them, so it takes little time however much there is.
func (m *Map[V]) Copy() *Map[V] {
	c := *m
	c.pages = *m.pages.Copy()
	c.spare = nil
	m.owner, c.owner = owners.Add(1), owners.Add(1)
	return &c
}

// Get returns the value of a key.
func (m *Map[V]) Get(key uint64) (v V, ok bool) {
	p, ok := m.find(key / perPage)
	if !ok || !p.has(key) {
		return v, false
	}
	return p.at(p.rank(key)), true
}

// Set gives a key a value, and returns the one that it had.
func (m *Map[V]) Set(key uint64, v V) (old V, replaced bool) {
	p := m.change(key / perPage)
	if p == nil {
		p = m.add(key / perPage)
	}
	if p.has(key) {
		at := &p.slots[p.from+p.rank(key)]
		old, *at = *at, v
		return old, true
	}
	p.insert(key, v)
	m.count++
	return old, false
}

// Delete takes a key out, and returns the value that it had.
func (m *Map[V]) Delete(key uint64) (old V, ok bool) {
	if p, ok := m.find(key / perPage); !ok || !p.has(key) {
		return old, false
	}
	p := m.change(key / perPage)
	old = p.remove(key)
	m.count--
	if p.used == 0 {
		m.pages.Delete(key / perPage)
		p.from, m.spare, m.hot = 0, p, nil
	}
	return old, true
}

// Min returns the lowest key.
func (m *Map[V]) Min() (key uint64, v V, ok bool) {
	n, p, ok := m.pages.Min()
	if !ok {
		return 0, v, false
	}
	return n*perPage + p.first(), p.at(0), true
}

// Max returns the highest key.
func (m *Map[V]) Max() (key uint64, v V, ok bool) {
	n, p, ok := m.pages.Max()
	if !ok {
		return 0, v, false
	}
	return n*perPage + p.last(), p.at(p.len() - 1), true
}

// PopMin takes the lowest key out.
func (m *Map[V]) PopMin() (key uint64, v V, ok bool) {
	if key, _, ok = m.Min(); ok {
		v, _ = m.Delete(key)
	}
	return key, v, ok
}

// Scan visits the keys in their order until visit returns false. The map must
// not be changed meanwhile.
func (m *Map[V]) Scan(visit func(key uint64, v V) bool) {
	for it, more := m.from(0); more; more = it.Next() {
		if !visit(it.Key(), it.Value()) {
			return
		}
	}
}

func (m *Map[V]) from(key uint64) (*Iter[V], bool) {
	it := m.Iter()
	return it, it.Seek(key)
}

func (m *Map[V]) find(n uint64) (*page[V], bool) {
	if m.hot != nil && m.hotAt == n {
		return m.hot, true
	}
	return m.pages.Get(n)
}

// change returns a page for changing it, which a copy may have to be made of;
// nil if there is none.
func (m *Map[V]) change(n uint64) *page[V] {
	p, ok := m.find(n)
	if !ok {
		return nil
	}
	if p.owner != m.owner {
		p = p.clone(m.owner)
		m.pages.Set(n, p)
	}
	m.hot, m.hotAt = p, n
	return p
}

// add makes a page. One that follows a page that grew to its full size is
// taken to do the same.
func (m *Map[V]) add(n uint64) *page[V] {
	p := m.spare
	switch {
	case p != nil && p.owner == m.owner:
	case m.hot != nil && m.hotAt+1 == n && len(m.hot.slots) == perPage:
		p = &page[V]{owner: m.owner, slots: make([]V, perPage)}
	default:
		p = &page[V]{owner: m.owner}
	}
	m.spare = nil
	m.pages.Set(n, p)
	m.hot, m.hotAt = p, n
	return p
}
