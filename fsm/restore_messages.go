package fsm

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/ferrymq/ferrymq/fsm/pages"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// shelf returns where the messages of the next item belong.
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
	j, ok := x.s.junk.Get(o.number)
	if !ok {
		return nil, fmt.Errorf("message of junk %d, which is missing", o.number)
	}
	x.shelves[o] = &j.shelf
	x.junk[&j.shelf] = true
	return &j.shelf, nil
}

// stack returns where what is ready of a line belongs. Those of junk are made
// when they are first named.
func (x *restorer) stack(h *shelf, n uint32) (*stack, error) {
	if n == 0 {
		return &h.stack, nil
	}
	if h.lines != nil {
		if l, ok := h.lines.all.Get(n); ok {
			return &l.stack, nil
		}
	}
	if !x.junk[h] {
		return nil, fmt.Errorf("message of line %d, which is missing", n)
	}
	if h.lines == nil {
		h.lines = newLines(x.s.gen)
	}
	l := &line{gen: x.s.gen, number: n}
	h.lines.all.Set(n, l)
	return &l.stack, nil
}

// waiting takes a packed chunk apart and packs it anew.
func (x *restorer) waiting(c *wire.Cursor) error {
	h, err := x.shelf(c)
	if err != nil {
		return err
	}
	n := uint32(c.UintMax(MaxGroups))
	place := c.UintMax(maxPlace)
	count := int(c.UintMax(chunkMax))
	data := c.Bytes()
	if c.Err() != nil {
		return c.Err()
	}
	k, err := x.stack(h, n)
	if err != nil {
		return err
	}
	if k.lane.count > 0 && k.lane.nextPlace() > place || place == 0 {
		return fmt.Errorf("chunk at place %d", place)
	}
	at := cursor{place: place}
	for range count {
		var m packed
		var ok bool
		if place, m, at, ok = nextChecked(data, at); !ok || m.wall > clockMax {
			return fmt.Errorf("chunk at place %d, byte %d", place, at.off)
		}
		k.lane.append(place, m)
	}
	if at.off != len(data) {
		return fmt.Errorf("chunk at place %d: %w", place, wire.ErrTrailing)
	}
	return nil
}

// nextPlace is behind the message appended last, if it still waits.
func (l *lane) nextPlace() uint64 { return l.tailTo.place }

// nextChecked is chunk.next for bytes that come from outside.
func nextChecked(data []byte, at cursor) (place uint64, m packed, next cursor, ok bool) {
	off := at.off
	read := func(limit uint64) (v uint64) {
		v, n := binary.Uvarint(data[off:])
		ok = ok && n > 0 && v <= limit
		off += max(n, 0)
		return v
	}
	ok = true
	di := read(math.MaxUint64)
	if di&1 != 0 {
		read(maxPlace - at.place)
	}
	position := read(math.MaxUint32)
	read(MaxMessageBytes)
	read(clockMax)
	di >>= 1
	if !ok || di > math.MaxUint64-at.index || di == 0 && position+uint64(at.position) > math.MaxUint32 {
		return 0, m, at, false
	}
	c := chunk{first: at.place, data: data}
	place, m, next = c.next(at)
	return place, m, next, next.off == off && place < maxPlace
}

func (x *restorer) message(c *wire.Cursor) error {
	h, err := x.shelf(c)
	if err != nil {
		return err
	}
	part, place := c.Uint(), c.UintMax(maxPlace)
	m := message{index: c.Uint(), position: c.Uint32(), wall: readMillis(c, clockMax),
		size: uint32(c.UintMax(MaxMessageBytes)), attempts: c.Uint32(), failures: c.Uint32(),
		lastToken: c.Uint(), lastEnd: Cause(c.Uint8()), at: readMillis(c, deadlineMax),
		expires: readMillis(c, deadlineMax), line: uint32(c.UintMax(MaxGroups)), flags: flags(c.Uint8()), more: readMore(c)}
	switch part {
	case partReturned:
		k, err := x.stack(h, m.line)
		if err != nil {
			return err
		}
		return insert(&k.returned, place, m, c)
	case partParked:
		return insert(&h.parked, place, m, c)
	case partWaiting:
		return insert(&h.waiting, place, m, c)
	case partLeased:
		l := lease{message: m, token: c.Uint(), consumer: c.Uint(), millis: c.Uint32()}
		return insert(&h.leased, place, l, c)
	}
	return fmt.Errorf("message at place %d: part %d", place, part)
}

func readMillis(c *wire.Cursor, limit uint64) millis { return millisOf(int64(c.UintMax(limit))) }

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

func insert[M any](set *pages.Map[M], place uint64, m M, c *wire.Cursor) error {
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
