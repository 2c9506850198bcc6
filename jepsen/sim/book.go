package sim

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cmd/ferry/logentry"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// book keeps what is committed: entries that hosts cut off the front of their
// logs because a snapshot covers them and, in the end, what is in the logs.
type book struct {
	mu      sync.Mutex
	entries map[uint64]raft.Log
	differ  []uint64 // committed twice, differently
}

func (b *book) add(logs []raft.Log) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries == nil {
		b.entries = map[uint64]raft.Log{}
	}
	for _, l := range logs {
		if known, some := b.entries[l.Index]; some && known.Term != l.Term {
			b.differ = append(b.differ, l.Index)
		}
		b.entries[l.Index] = l
	}
}

// log is the committed log, by index.
func (b *book) log() ([]history.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]history.Entry, 0, len(b.entries))
	var errs []error
	for _, index := range slices.Sorted(maps.Keys(b.entries)) {
		l := b.entries[index]
		e, err := logentry.Of(&l)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, e)
	}
	return all, errors.Join(errs...)
}
