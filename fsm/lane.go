package fsm

import (
	"slices"

	"github.com/tidwall/btree"
)

// lane is a line of waiting messages without state of their own: sealed
// chunks behind the one that is being read, and an open tail. Messages enter
// at the tail and leave at the front; nothing else touches it. A queue has one
// lane for each of its lines.
type lane struct {
	count  uint64
	head   *chunk // being read; nil: everything is in the tail
	headAt cursor
	sealed btree.Map[uint64, *chunk] // by first place; empty without head

	tail   chunk
	tailAt cursor // read up to here, if the tail is the front
	tailTo cursor // written up to here
}

func (l *lane) append(place uint64, m packed) {
	if l.tail.count == chunkMax {
		l.seal()
	}
	l.tail.append(&l.tailTo, place, m)
	l.count++
}

// seal makes a chunk of the tail. Its bytes are copied to their exact size;
// the buffer serves the next tail.
func (l *lane) seal() {
	c := &chunk{first: l.tail.first, count: l.tail.count, data: slices.Clone(l.tail.data)}
	if l.head == nil {
		l.head, l.headAt = c, l.tailAt
	} else {
		l.sealed.Set(c.first, c)
	}
	l.clearTail()
}

func (l *lane) clearTail() {
	l.tail = chunk{data: l.tail.data[:0]}
	l.tailAt, l.tailTo = cursor{}, cursor{}
}

// front is the message that leaves next.
func (l *lane) front() (place uint64, m packed, ok bool) {
	switch {
	case l.count == 0:
		return 0, packed{}, false
	case l.head != nil:
		place, m, _ = l.head.next(l.headAt)
		return place, m, true
	default:
		place, m, _ = l.tail.next(l.tailAt)
		return place, m, true
	}
}

// pop removes the message that front returned.
func (l *lane) pop() {
	l.count--
	if l.head == nil {
		_, _, l.tailAt = l.tail.next(l.tailAt)
		if l.tailAt.n == l.tail.count {
			l.clearTail()
		}
		return
	}
	if _, _, l.headAt = l.head.next(l.headAt); l.headAt.n < l.head.count {
		return
	}
	l.head, l.headAt = nil, cursor{}
	if first, c, ok := l.sealed.Min(); ok {
		l.head = c
		l.sealed.Delete(first)
	}
}

// each visits the messages from the front without taking them.
func (l *lane) each(visit func(place uint64, m packed) bool) {
	walk := func(c *chunk, at cursor) bool {
		for at.n < c.count {
			place, m, next := c.next(at)
			if at = next; !visit(place, m) {
				return false
			}
		}
		return true
	}
	if l.head != nil {
		if !walk(l.head, l.headAt) {
			return
		}
		more := true
		l.sealed.Scan(func(_ uint64, c *chunk) bool {
			more = walk(c, cursor{})
			return more
		})
		if !more {
			return
		}
	}
	walk(&l.tail, l.tailAt)
}

// seek is the chunk in which a place would be, and where it is read from.
func (l *lane) seek(place uint64) (c *chunk, at cursor) {
	if l.head == nil || l.tail.count > 0 && place >= l.tail.first {
		return &l.tail, l.tailAt
	}
	c, at = l.head, l.headAt
	l.sealed.Descend(place, func(_ uint64, sealed *chunk) bool {
		c, at = sealed, cursor{}
		return false
	})
	return c, at
}

// find returns the message that waits at a place.
func (l *lane) find(place uint64) (m packed, ok bool) {
	c, at := l.seek(place)
	for p := uint64(0); at.n < c.count && p < place; ok = p == place {
		p, m, at = c.next(at)
	}
	return m, ok
}

// remove takes the message at a place, which waits here, out of the middle. Its
// chunk is packed anew, so that no other message changes.
func (l *lane) remove(place uint64) {
	if first, _, _ := l.front(); first == place {
		l.pop()
		return
	}
	l.count--
	c, at := l.seek(place)
	rest, end := c.without(place, at)
	switch {
	case c == l.head: // its front stays
		l.head, l.headAt = &rest, cursor{}
	case c != &l.tail:
		l.sealed.Delete(c.first)
		if rest.count > 0 {
			l.sealed.Set(rest.first, &rest)
		}
	case rest.count > 0:
		l.tail, l.tailAt, l.tailTo = rest, cursor{}, end
	default:
		l.clearTail()
	}
}
