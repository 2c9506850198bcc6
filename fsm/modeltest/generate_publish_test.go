package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport/wire"
)

func (g *generator) publish(t *rapid.T) Command {
	x := &fsm.Publish{OpHeader: g.header(t), Queue: g.destination(t)}
	c := Command{Command: x, Drafts: g.drafts(t)}
	x.Count, x.Records = records(c.Drafts)
	if c.Broken = percent(t, "broken") < 1; c.Broken {
		x.Count++
	}
	return c
}

// records of a command, back to back.
func records(drafts []Draft) (count uint32, b []byte) {
	for _, d := range drafts {
		b = append(wire.AppendBytesLen(b, len(d.Record)), d.Record...)
	}
	return uint32(len(drafts)), b
}
