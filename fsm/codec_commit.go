package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// The bytes of commits, requests and replies. The records of a commit are one
// binary for each queue; those of a request or reply are the rest of the
// command's, as of a publish.

func AppendCommit(dst []byte, c *Commit) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindCommit, &c.OpHeader)
	dst = appendSettles(dst, c.Settles)
	dst = wire.AppendArrayLen(dst, len(c.Publishes))
	for i := range c.Publishes {
		p := &c.Publishes[i]
		dst = wire.AppendString(dst, p.Queue)
		dst = wire.AppendUint(dst, uint64(p.Count))
		dst = wire.AppendBytes(dst, p.Records)
	}
	return seal(dst, from)
}

// commitPublishMin is the least an encoded CommitPublish takes.
const commitPublishMin = 3

func (x *Commit) read(c *wire.Cursor) { x.readAt(c, nil) }

// readAt also appends where each publish's records begin, behind the kind.
func (x *Commit) readAt(c *wire.Cursor, at []int) []int {
	x.OpHeader.read(c)
	x.Settles = readSettles(c, nil)
	n := c.ArrayLen(c.Left() / commitPublishMin)
	for range n {
		x.Publishes = append(x.Publishes, CommitPublish{Queue: c.String(), Count: c.Uint32(), Records: c.Bytes()})
		if c.Err() != nil {
			break
		}
		at = append(at, c.Offset()-len(x.Publishes[len(x.Publishes)-1].Records))
	}
	return at
}

func AppendRequest(dst []byte, c *Request) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindRequest, &c.OpHeader)
	dst = wire.AppendString(dst, c.Queue)
	dst = wire.AppendBool(dst, c.NoRetry)
	dst = appendNumbers(dst, c.Taken)
	return seal(append(dst, c.Records...), from)
}

func (x *Request) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.NoRetry = c.Bool()
	x.Taken = readNumbers(c)
}

func AppendReply(dst []byte, c *Reply) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindReply, &c.OpHeader)
	dst = wire.AppendUint(dst, c.Incarnation)
	dst = wire.AppendUint(dst, c.Place)
	dst = wire.AppendUint(dst, c.Token)
	return seal(append(dst, c.Records...), from)
}

func (x *Reply) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Incarnation = c.Uint()
	x.Place = c.Uint()
	x.Token = c.Uint()
}

func AppendAwait(dst []byte, c *Await) []byte {
	from := len(dst)
	dst = appendKind(dst, KindAwait)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendUint(dst, c.Epoch)
	dst = wire.AppendUint(dst, c.Number)
	return seal(dst, from)
}

func (x *Await) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	x.Epoch = c.Uint()
	x.Number = c.Uint()
}
