package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// What a snapshot has of junk, before its messages.

func (f *frameWriter) junk(j *junk) bool {
	b := wire.AppendUint(f.b, j.serial)
	b = wire.AppendString(b, j.queue)
	b = wire.AppendUint(b, j.index)
	f.b = wire.AppendUint(b, uint64(j.why))
	return true
}

func (x *restorer) discarded(c *wire.Cursor) error {
	s := x.s
	j := &junk{gen: s.gen, serial: c.Uint(), queue: c.String(), index: c.UintMax(s.index), why: gone(c.UintMax(uint64(goneLast)))}
	if last, _, ok := s.junk.Max(); c.Err() == nil && (ok && last >= j.serial || j.why == 0) {
		return fmt.Errorf("junk %d after %d, gone for cause %d", j.serial, last, j.why)
	}
	s.junk.Set(j.serial, j)
	return nil
}

// findLines finds what is ready in its lines. Nothing else of them is asked for
// when they are junk.
func (j *junk) findLines() {
	if j.lines == nil {
		return
	}
	j.lines.all.Scan(func(_ uint32, l *line) bool {
		j.lines.find(l)
		return true
	})
}
