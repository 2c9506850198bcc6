package modeltest

import (
	"encoding/binary"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

// The bytes of a record, written once more from its layout, so that records
// can be made that package record refuses to make.
func record(version byte, attributes, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(attributes)+len(content)))
	b = append(b, version, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attributes)))
	b = append(b, 0, 0, 0, 0) // the checksum, which the machine leaves to the consumer
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, attributes...)
	return append(b, content...)
}

// Tags of attributes.
const (
	tagDedupID   = 3
	tagGroup     = 4
	tagPriority  = 5
	tagTTL       = 6
	tagDelay     = 7
	tagDeliverAt = 8
	tagReplyTo   = 9
	tagTenant    = 10
	tagDeadline  = 11
	tagSubject   = 12
)

// attributes of a draft as they are in its record.
func attributes(d Draft, replyTo string) (b []byte) {
	text := func(tag byte, s string) {
		if s != "" {
			b = append(binary.AppendUvarint(append(b, tag), uint64(len(s))), s...)
		}
	}
	number := func(tag byte, n uint64) {
		if n != 0 {
			b = binary.BigEndian.AppendUint64(append(b, tag, 8), n)
		}
	}
	text(tagDedupID, d.DedupID)
	text(tagGroup, d.Group)
	if d.Priority != nil {
		b = append(b, tagPriority, 1, *d.Priority)
	}
	number(tagTTL, d.TTL)
	number(tagDelay, d.Delay)
	number(tagDeliverAt, d.DeliverAt)
	text(tagReplyTo, replyTo)
	text(tagTenant, d.Tenant)
	number(tagDeadline, d.Deadline)
	text(tagSubject, d.Subject)
	return b
}

// seal gives a draft its record.
func (d Draft) sealed(replyTo string) Draft {
	d.Record, d.Size = record(1, attributes(d, replyTo), d.Content), uint64(len(d.Content))
	return d
}

// attribute draws what a message says of itself.
func (g *generator) attribute(t *rapid.T, d *Draft) {
	g.order(t, d)
	if percent(t, "timed") < 35 {
		g.times(t, d)
	}
	if percent(t, "dedup") < 25 {
		d.DedupID = choose(t, "dedup id", "d0", "d1", "d2", "d3", "d4", "d5")
		d.Content = []byte(choose(t, "content", "one content", "one content", "another one"))
	}
	d.Subject = choose(t, "subject", "", "", "a", "a.b", "a.b.c", "b", "b.c")
	if percent(t, "subject") < 2 {
		d.Subject = choose(t, "subject", "a.*", ">", "a..b", ".", "ä")
	}
	if percent(t, "deadline") < 5 {
		d.Deadline = 1
	}
}

func (g *generator) order(t *rapid.T, d *Draft) {
	if percent(t, "priority") < 30 {
		p := uint8(choose(t, "priority", 0, 4, 9, 31))
		d.Priority = &p
	}
	switch {
	case g.group != "":
		d.Group = g.group
	case percent(t, "group") < 35:
		d.Group = choose(t, "group", groups...)
	}
	if percent(t, "tenant") < 40 {
		d.Tenant = choose(t, "tenant", tenants...)
	}
}

var (
	groups  = []string{"g0", "g1", "g2"}
	tenants = []string{"t0", "t1", "t2"}
)

func (g *generator) times(t *rapid.T, d *Draft) {
	wall := uint64(g.m.clock.WallMillis)
	switch percent(t, "times") * 10 / 100 {
	case 0, 1, 2, 3:
		d.TTL = uint64(choose(t, "ttl", 1, 100, 700, 3000, 30_000))
	case 4, 5, 6:
		d.Delay = uint64(choose(t, "delay", 1, 100, 700, 3000, 30_000))
	case 7, 8:
		d.DeliverAt = wall + uint64(choose(t, "deliver at", -10, 0, 1, 100, 2000, 10_000))
	default:
		switch percent(t, "wrong times") * 5 / 100 {
		case 0:
			d.TTL = fsm.TenYearsMillis + 1
		case 1:
			d.Delay = fsm.TenYearsMillis + 1
		case 2:
			d.DeliverAt = wall + fsm.TenYearsMillis + 1_000_000
		case 3:
			d.Delay, d.DeliverAt = 10, wall
		case 4:
			d.TTL, d.Delay = 500, 500
		}
	}
}
