package pages

import "math/bits"

// perPage is how many neighbouring keys share a page: one bit each in a word.
const perPage = 32

// page holds the values of its keys by rising key, in a part of slots.
type page[V any] struct {
	owner uint64
	used  uint32 // bit n: it has its n-th key
	from  int    // the first value
	slots []V    // zero outside of that part
}

func bit(key uint64) uint32 { return 1 << (key % perPage) }

func (p *page[V]) has(key uint64) bool { return p.used&bit(key) != 0 }
func (p *page[V]) rank(key uint64) int { return bits.OnesCount32(p.used & (bit(key) - 1)) }
func (p *page[V]) len() int            { return bits.OnesCount32(p.used) }
func (p *page[V]) at(rank int) V       { return p.slots[p.from+rank] }
func (p *page[V]) first() uint64       { return uint64(bits.TrailingZeros32(p.used)) }
func (p *page[V]) last() uint64        { return uint64(bits.Len32(p.used) - 1) }
func (p *page[V]) live() []V           { return p.slots[p.from : p.from+p.len()] }

// insert puts in a key that is not there.
func (p *page[V]) insert(key uint64, v V) {
	n, i := p.len(), p.rank(key)
	if n == len(p.slots) {
		p.resize(max(1, 2*n))
	}
	if p.from+n == len(p.slots) || i == 0 && p.from > 0 {
		p.from--
		copy(p.slots[p.from:], p.slots[p.from+1:p.from+1+i])
	} else {
		copy(p.slots[p.from+i+1:], p.slots[p.from+i:p.from+n])
	}
	p.slots[p.from+i] = v
	p.used |= bit(key)
}

// remove takes out a key that is there. At either end nothing moves; in the
// middle a page that is mostly empty gets smaller.
func (p *page[V]) remove(key uint64) (old V) {
	live, i := p.live(), p.rank(key)
	old = live[i]
	var zero V
	p.used &^= bit(key)
	if i == 0 {
		live[0] = zero
		p.from++
		return old
	}
	last := len(live) - 1
	copy(live[i:], live[i+1:])
	live[last] = zero
	if i < last && last <= len(p.slots)/4 {
		p.resize(len(p.slots) / 2)
	}
	return old
}

func (p *page[V]) resize(n int) {
	slots := make([]V, n)
	copy(slots, p.live())
	p.slots, p.from = slots, 0
}

func (p *page[V]) clone(owner uint64) *page[V] {
	c := *p
	c.owner = owner
	c.resize(len(p.slots))
	return &c
}
