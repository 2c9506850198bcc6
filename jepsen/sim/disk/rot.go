package disk

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Place is where bytes rot.
type Place string

const (
	Log       Place = "log"
	Snapshots Place = "snapshots"
	Vote      Place = "vote"
	Mark      Place = "watermark"
)

// rotsAfter is how old an entry has to be before it rots. The watermark
// follows the log by less than that: a bad entry beyond it is rightly taken
// for one that was never finished.
const rotsAfter = 500 * time.Millisecond

// Rot flips a bit that was durable, under a running process, too. It tells
// which, or "" if there is nothing of the kind.
func (d *Disk) Rot(p Place) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.image
	if d.session != nil {
		m = d.session.image
	}
	what := ""
	switch p {
	case Log:
		what = d.rotLog(m)
	case Snapshots:
		what = d.rotSnapshot(m)
	case Vote:
		for _, key := range slices.Sorted(maps.Keys(m.stable)) {
			m.stable[key] = d.flip(m.stable[key])
			what = "the record of term and vote"
		}
	case Mark:
		if m.mark != nil {
			m.mark = d.flipBothSlots(m.mark)
			what = "both slots of the watermark"
		}
	}
	if what != "" {
		d.counts.Rotten++
	}
	return what
}

func (d *Disk) rotLog(m *image) string {
	if len(m.log) == 0 {
		return ""
	}
	newest := m.log[len(m.log)-1].stored
	old := slices.IndexFunc(m.log, func(e entry) bool { return newest.Sub(e.stored) < rotsAfter })
	if old <= 0 {
		return ""
	}
	i := d.rand.IntN(old)
	m.log[i].rotten = true
	if len(m.log[i].Data) == 0 {
		m.log[i].Term ^= 1
	} else {
		m.log[i].Data = d.flip(m.log[i].Data)
	}
	return fmt.Sprintf("entry %d of %d to %d", m.log[i].Index, m.log[0].Index, m.lastIndex())
}

func (d *Disk) rotSnapshot(m *image) string {
	if len(m.snaps) == 0 {
		return ""
	}
	for i := range m.snaps {
		m.snaps[i].body = d.flip(m.snaps[i].body)
	}
	return fmt.Sprintf("%d snapshots up to %d", len(m.snaps), m.snaps[len(m.snaps)-1].meta.Index)
}

// flip returns a copy with one bit turned.
func (d *Disk) flip(b []byte) []byte {
	b = slices.Clone(b)
	b[d.rand.IntN(len(b))] ^= 1 << d.rand.IntN(8)
	return b
}

// flipBothSlots turns a bit within the used bytes of either half.
func (d *Disk) flipBothSlots(b []byte) []byte {
	b = slices.Clone(b)
	for _, slot := range []int{0, len(b) / 2} {
		b[slot+8+d.rand.IntN(32)] ^= 1 << d.rand.IntN(8)
	}
	return b
}
