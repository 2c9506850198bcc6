package fsm

import "encoding/binary"

// chunk packs up to chunkMax waiting messages with rising places. For each:
// the entry index as a difference to the one before, and whether the place is
// the next one; if not, how many were left out; the position, as a difference
// if the index is the same; the logical size; the enqueued wall clock as a
// difference. All are varints, about six to ten bytes a message. A sealed
// chunk never changes.
type chunk struct {
	first uint64 // place of the first message
	count int
	data  []byte
}

// cursor reads or writes a chunk from its front.
type cursor struct {
	off      int
	n        int    // messages passed
	place    uint64 // the next one, if none is left out; 0 at the front
	index    uint64
	position uint32
	wall     int64
}

// packed is a message without state of its own.
type packed struct {
	index    uint64
	wall     int64
	position uint32
	size     uint32
}

// append adds a message at a place. Places rise; indexes, positions within an
// index, and the wall clock never fall.
func (c *chunk) append(at *cursor, place uint64, m packed) {
	if c.count == 0 {
		c.first, at.place = place, place
	}
	di := m.index - at.index
	p := m.position
	if di == 0 {
		p -= at.position
	}
	gap := place - at.place
	if gap == 0 {
		c.data = binary.AppendUvarint(c.data, di<<1)
	} else {
		c.data = binary.AppendUvarint(c.data, di<<1|1)
		c.data = binary.AppendUvarint(c.data, gap)
	}
	c.data = binary.AppendUvarint(c.data, uint64(p))
	c.data = binary.AppendUvarint(c.data, uint64(m.size))
	c.data = binary.AppendUvarint(c.data, uint64(m.wall-at.wall))
	c.count++
	*at = cursor{off: len(c.data), n: c.count, place: place + 1, index: m.index, position: m.position, wall: m.wall}
}

// next reads the message at the cursor and returns its place and the cursor
// behind it.
func (c *chunk) next(at cursor) (uint64, packed, cursor) {
	b := c.data[at.off:]
	di, n := binary.Uvarint(b)
	place := at.place
	if at.n == 0 {
		place = c.first
	}
	if di&1 != 0 {
		gap, k := binary.Uvarint(b[n:])
		n += k
		place += gap
	}
	di >>= 1
	p, k := binary.Uvarint(b[n:])
	n += k
	size, k := binary.Uvarint(b[n:])
	n += k
	dw, k := binary.Uvarint(b[n:])
	n += k
	m := packed{index: at.index + di, position: uint32(p), size: uint32(size), wall: at.wall + int64(dw)}
	if di == 0 {
		m.position += at.position
	}
	return place, m, cursor{off: at.off + n, n: at.n + 1, place: place + 1, index: m.index, position: m.position, wall: m.wall}
}

// without packs what is left of a chunk from a cursor on, but for one place.
func (c *chunk) without(place uint64, at cursor) (rest chunk, end cursor) {
	rest.data = make([]byte, 0, len(c.data))
	for at.n < c.count {
		p, m, next := c.next(at)
		if at = next; p != place {
			rest.append(&end, p, m)
		}
	}
	return rest, end
}
