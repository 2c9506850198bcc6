package fsm

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// shelf returns where the messages of the next item belong. Junk is made when
// it is first named.
func (x *restorer) shelf(c *wire.Cursor) (*shelf, error) {
	o := owner{junk: c.Bool(), number: c.Uint()}
	if c.Err() != nil {
		return nil, c.Err()
	}
	if h := x.shelves[o]; h != nil {
		return h, nil
	}
	if !o.junk {
		q, ok := x.s.queues.Get(o.number)
		if !ok {
			return nil, fmt.Errorf("message of queue %d, which is missing", o.number)
		}
		q.stock()
		x.shelves[o] = q.shelf
		return q.shelf, nil
	}
	j := &junk{gen: x.s.gen, serial: o.number}
	x.s.junk.Set(j.serial, j)
	x.shelves[o] = &j.shelf
	return &j.shelf, nil
}

// waiting takes a packed chunk apart and packs it anew.
func (x *restorer) waiting(c *wire.Cursor) error {
	h, err := x.shelf(c)
	if err != nil {
		return err
	}
	place := c.Uint()
	count := int(c.UintMax(chunkMax))
	data := c.Bytes()
	if c.Err() != nil {
		return c.Err()
	}
	if h.lane.count > 0 && h.lane.lastPlace() >= place || place == 0 || place > math.MaxUint64-chunkMax {
		return fmt.Errorf("chunk at place %d", place)
	}
	var at cursor
	for range count {
		var m packed
		var ok bool
		if m, at, ok = nextChecked(data, at); !ok || m.wall > clockMax {
			return fmt.Errorf("chunk at place %d, byte %d", place, at.off)
		}
		h.lane.append(place, m)
		place++
	}
	if at.off != len(data) {
		return fmt.Errorf("chunk at place %d: %w", place, wire.ErrTrailing)
	}
	return nil
}

// lastPlace is the place of the message appended last, if it still waits.
func (l *lane) lastPlace() uint64 { return l.tail.first + uint64(l.tail.count) - 1 }

// nextChecked is chunk.next for bytes that come from outside.
func nextChecked(data []byte, at cursor) (packed, cursor, bool) {
	var v [4]uint64
	off := at.off
	for i := range v {
		x, n := binary.Uvarint(data[off:])
		if n <= 0 {
			return packed{}, at, false
		}
		v[i] = x
		off += n
	}
	if v[0] > math.MaxUint64-at.index || v[1] > math.MaxUint32 || v[2] > MaxMessageBytes || v[3] > clockMax {
		return packed{}, at, false
	}
	if v[0] == 0 && v[1]+uint64(at.position) > math.MaxUint32 {
		return packed{}, at, false
	}
	c := chunk{data: data}
	m, next := c.next(at)
	return m, next, next.off == off
}

func (x *restorer) message(c *wire.Cursor) error {
	h, err := x.shelf(c)
	if err != nil {
		return err
	}
	part, place := c.Uint(), c.Uint()
	m := message{index: c.Uint(), position: c.Uint32(), wall: int64(c.UintMax(clockMax)),
		size: uint32(c.UintMax(MaxMessageBytes)), attempts: c.Uint32(), failures: c.Uint32(),
		lastToken: c.Uint(), lastEnd: Cause(c.Uint8()), at: int64(c.UintMax(deadlineMax)),
		expires: int64(c.UintMax(deadlineMax)), line: c.Uint32(), flags: flags(c.Uint8()), more: readMore(c)}
	switch part {
	case partReturned:
		return insert(&h.returned, place, m, c)
	case partParked:
		return insert(&h.parked, place, m, c)
	case partWaiting:
		return insert(&h.waiting, place, m, c)
	case partLeased:
		l := lease{message: m, token: c.Uint(), consumer: c.Uint(), deadline: readDeadline(c),
			millis: c.Uint32(), extended: c.Bool()}
		return insert(&h.leased, place, l, c)
	}
	return fmt.Errorf("message at place %d: part %d", place, part)
}

func readMore(c *wire.Cursor) *more {
	if c.Nil() {
		return nil
	}
	m := &more{history: readAttempts(c), forgotten: c.Uint32()}
	if !c.Nil() {
		m.death = &Death{Queue: c.String(), Reason: c.String(), Attempts: c.Uint32(), Failures: c.Uint32(),
			Error: c.String(), AtMillis: int64(c.UintMax(clockMax)), History: readAttempts(c), Forgotten: c.Uint32()}
	}
	return m
}

func readAttempts(c *wire.Cursor) (all []Attempt) {
	for range c.ArrayLen(min(MaxHistory, c.Left())) {
		a := Attempt{AtMillis: int64(c.UintMax(clockMax))}
		readFixed(c, a.Session[:])
		a.Consumer, a.Token, a.Error = c.Uint32(), c.Uint(), c.String()
		all = append(all, a)
	}
	return all
}

func insert[M any](set *btree.Map[uint64, M], place uint64, m M, c *wire.Cursor) error {
	if c.Err() != nil {
		return c.Err()
	}
	if last, _, ok := set.Max(); ok && last >= place {
		return fmt.Errorf("message at place %d after %d", place, last)
	}
	set.Set(place, m)
	return nil
}

// bodyItem collects the bodies of one entry, which the store keeps in one slice.
func (x *restorer) bodyItem(c *wire.Cursor) error {
	index, position, data := c.Uint(), c.Uint32(), c.Bytes()
	if c.Err() != nil {
		return c.Err()
	}
	if index != x.bodyAt {
		if index < x.bodyAt {
			return fmt.Errorf("body of entry %d after %d", index, x.bodyAt)
		}
		if err := x.flushBodies(); err != nil {
			return err
		}
		x.bodyAt = index
	}
	from := len(x.body)
	x.body = append(x.body, data...)
	x.places = append(x.places, bodyPlace{position, from, len(x.body)})
	return nil
}

func (x *restorer) flushBodies() error {
	data := slices.Clone(x.body)
	for _, p := range x.places {
		if err := x.s.bodies.Add(x.bodyAt, p.position, data, p.from, p.until-p.from); err != nil {
			return err
		}
	}
	x.body, x.places = x.body[:0], x.places[:0]
	return nil
}
