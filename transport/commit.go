package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// Commit settles and publishes in one step: all of it or nothing. Settles and
// messages together are at most MessagesMax, the messages' bytes at most
// MessageMax.
type Commit struct {
	OpHeader
	Settles   []SettleItem
	Publishes []CommitPublish
}

// CommitPublish is what a Commit publishes to one queue or topic, as in Publish.
type CommitPublish struct {
	Queue   string
	Count   uint32
	Records []byte // Count msgpack binaries; aliases the frame
}

const (
	settleItemLeast    = 8
	commitPublishLeast = 3
)

// AppendTo appends the part. Records must hold Count binaries.
func (p CommitPublish) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 2)
	b = wire.AppendString(b, p.Queue)
	b = wire.AppendArrayLen(b, int(p.Count))
	return append(b, p.Records...)
}

func (p *CommitPublish) read(c *wire.Cursor, payload []byte) {
	more := c.Fields(2)
	p.Queue = c.StringMax(QueueNameMax)
	p.Count, p.Records = readBinaries(c, payload, MessagesMax)
	c.SkipN(more)
}

// AppendTo appends the body.
func (m Commit) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = m.OpHeader.AppendTo(b)
	b = wire.AppendArrayLen(b, len(m.Settles))
	for i := range m.Settles {
		b = m.Settles[i].AppendTo(b)
	}
	b = wire.AppendArrayLen(b, len(m.Publishes))
	for i := range m.Publishes {
		b = m.Publishes[i].AppendTo(b)
	}
	return b
}

// Decode reads the body. It reuses the memory of Settles and Publishes; the
// records alias the payload.
func (m *Commit) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(3)
	m.OpHeader.read(&c)
	m.Settles = resize(m.Settles, c.ArrayLenOf(MessagesMax, settleItemLeast))
	for i := range m.Settles {
		m.Settles[i].read(&c)
	}
	m.Publishes = resize(m.Publishes, c.ArrayLenOf(MessagesMax, commitPublishLeast))
	for i := range m.Publishes {
		m.Publishes[i].read(&c, payload)
	}
	c.SkipN(more)
	return decoded(&c, "Commit")
}
