package fsm

import "encoding/binary"

// chunk packs up to chunkMax waiting messages with consecutive places. For
// each: the entry index as a difference to the one before; the position, as a
// difference if the index is the same; the logical size; the enqueued wall
// clock as a difference. All are varints, about six to ten bytes a message.
// A sealed chunk never changes.
type chunk struct {
	first uint64 // place of the first message
	count int
	data  []byte
}

// cursor reads or writes a chunk from its front.
type cursor struct {
	off      int
	n        int // messages passed
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

// append adds a message. Indexes, positions within an index, and the wall
// clock never fall.
func (c *chunk) append(at *cursor, m packed) {
	di := m.index - at.index
	p := m.position
	if di == 0 {
		p -= at.position
	}
	c.data = binary.AppendUvarint(c.data, di)
	c.data = binary.AppendUvarint(c.data, uint64(p))
	c.data = binary.AppendUvarint(c.data, uint64(m.size))
	c.data = binary.AppendUvarint(c.data, uint64(m.wall-at.wall))
	c.count++
	*at = cursor{off: len(c.data), n: c.count, index: m.index, position: m.position, wall: m.wall}
}

// next reads the message at the cursor and returns the cursor behind it.
func (c *chunk) next(at cursor) (packed, cursor) {
	b := c.data[at.off:]
	di, n := binary.Uvarint(b)
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
	return m, cursor{off: at.off + n, n: at.n + 1, index: m.index, position: m.position, wall: m.wall}
}
