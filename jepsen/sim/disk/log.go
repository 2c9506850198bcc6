package disk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// entry is one of the stored log, with the time at which it was stored.
type entry struct {
	raft.Log
	stored time.Time
	rotten bool // for OnCut and Entries, who know better than a process
}

// logFile stands in for raft-wal: it refuses gaps, and a batch is durable when
// StoreLogs returns. A batch that was cut off by a power loss leaves some of
// its entries, of which the last may be garbage.
type logFile struct{ s *Session }

func (f logFile) IsMonotonic() bool { return true }

func (f logFile) FirstIndex() (index uint64, _ error) {
	f.s.look(func(m *image) {
		if len(m.log) > 0 {
			index = m.log[0].Index
		}
	})
	return index, nil
}

func (f logFile) LastIndex() (index uint64, _ error) {
	f.s.look(func(m *image) { index = m.lastIndex() })
	return index, nil
}

func (m *image) lastIndex() uint64 {
	if len(m.log) == 0 {
		return 0
	}
	return m.log[0].Index + uint64(len(m.log)) - 1
}

func (f logFile) GetLog(index uint64, out *raft.Log) error {
	err := raft.ErrLogNotFound
	f.s.look(func(m *image) {
		if len(m.log) > 0 && index >= m.log[0].Index && index <= m.lastIndex() {
			*out, err = m.log[index-m.log[0].Index].Log, nil
		}
	})
	return err
}

func (f logFile) StoreLog(l *raft.Log) error { return f.StoreLogs([]*raft.Log{l}) }

func (f logFile) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	var last uint64
	f.s.look(func(m *image) { last = m.lastIndex() })
	batch := make([]entry, 0, len(logs))
	for _, l := range logs {
		if last != 0 && l.Index != last+1 {
			return fmt.Errorf("entry %d after %d", l.Index, last)
		}
		last = l.Index
		batch = append(batch, entry{Log: *l, stored: time.Now()})
	}
	return f.s.write("store logs", &write{
		apply: func(m *image) { m.log = append(m.log, batch...) },
		torn: func(m *image, r *rand.Rand) {
			n := r.IntN(len(batch))
			m.log = append(m.log, batch[:n]...)
			if r.IntN(2) == 0 {
				m.log = append(m.log, garbage(batch[n], r))
			}
		},
	})
}

// garbage is an entry of which not everything was written.
func garbage(e entry, r *rand.Rand) entry {
	e.Data, e.rotten = slices.Clone(e.Data), true
	if len(e.Data) == 0 {
		e.Term ^= 1
		return e
	}
	for i := r.IntN(len(e.Data)); i < len(e.Data); i++ {
		e.Data[i] = ^e.Data[i]
	}
	return e
}

// DeleteRange is atomic, and cuts a prefix or a suffix.
func (f logFile) DeleteRange(from, to uint64) error {
	var bad error
	f.s.look(func(m *image) {
		if len(m.log) > 0 && from > m.log[0].Index && to < m.lastIndex() {
			bad = fmt.Errorf("cut of %d to %d is neither at the front nor at the back", from, to)
		}
	})
	if bad != nil {
		return bad
	}
	return f.s.write("delete range", &write{apply: func(m *image) {
		if f.s.disk.onCut != nil && !f.s.dead && to < m.lastIndex() {
			f.s.disk.onCut(logsOf(m.log[:max(0, int(to-m.log[0].Index)+1)]))
		}
		m.log = slices.DeleteFunc(slices.Clone(m.log), func(e entry) bool { return e.Index >= from && e.Index <= to })
	}})
}

func (f logFile) Close() error { return nil }
