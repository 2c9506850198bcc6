package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// ReadLog reads what `ferry log dump` printed.
func ReadLog(r io.Reader) ([]history.Entry, error) {
	var all []history.Entry
	for d := json.NewDecoder(r); ; {
		var e history.Entry
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("log after %d entries: %w", len(all), err)
		}
		if n := len(all); n > 0 && e.Index <= all[n-1].Index {
			return all, fmt.Errorf("log: entry %d after %d", e.Index, all[n-1].Index)
		}
		all = append(all, e)
	}
}

// Range of indexes, both included.
type Range struct{ From, To uint64 }

// Conflict is an index at which two logs differ. Between what is committed
// there is none.
type Conflict struct {
	Index uint64
	A, B  history.Entry
}

// Merge is the union by index of the nodes' logs, each in rising order. Where
// they differ, the higher term stays. A hole is what no log has, from index 1
// to the last.
//
// A log that a stopped replica left may end in entries that were never
// committed: cut the logs with UpTo first, and give those that a rebuild moved
// aside to Fill.
func Merge(logs ...[]history.Entry) (entries []history.Entry, holes []Range, conflicts []Conflict) {
	for _, log := range logs {
		var differ []Conflict
		entries, differ = union(entries, log)
		conflicts = append(conflicts, differ...)
	}
	return entries, holesOf(entries), conflicts
}

func union(a, b []history.Entry) (all []history.Entry, differ []Conflict) {
	all = make([]history.Entry, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Index < b[0].Index:
			all, a = append(all, a[0]), a[1:]
			continue
		case a[0].Index > b[0].Index:
			all, b = append(all, b[0]), b[1:]
			continue
		}
		keep := a[0]
		if !reflect.DeepEqual(a[0], b[0]) {
			differ = append(differ, Conflict{a[0].Index, a[0], b[0]})
			if b[0].Term > keep.Term {
				keep = b[0]
			}
		}
		all, a, b = append(all, keep), a[1:], b[1:]
	}
	return append(append(all, a...), b...), differ
}

func holesOf(entries []history.Entry) (holes []Range) {
	next := uint64(1)
	for _, e := range entries {
		if e.Index > next {
			holes = append(holes, Range{next, e.Index - 1})
		}
		next = e.Index + 1
	}
	return holes
}

// UpTo is the part of a log that is not beyond an index.
func UpTo(log []history.Entry, index uint64) []history.Entry {
	n, _ := slices.BinarySearchFunc(log, index+1, func(e history.Entry, i uint64) int {
		return int(int64(e.Index) - int64(i))
	})
	return log[:n]
}

// Fill takes into a committed log what is missing there and stands in a log of
// which nobody knows how much was committed. Two logs that have an entry of
// one index and term are the same up to there, so what is at or before the
// last such entry was committed.
func Fill(committed, other []history.Entry) []history.Entry {
	terms := make(map[uint64]uint64, len(committed))
	for _, e := range committed {
		terms[e.Index] = e.Term
	}
	for n := len(other); n > 0; n-- {
		if e := other[n-1]; terms[e.Index] == e.Term {
			all, _ := union(committed, other[:n])
			return all
		}
	}
	return committed
}

// Agreement judges the logs of the nodes, each by its name, up to the index
// that all had applied in the end: what is committed is the same everywhere.
func Agreement(logs map[string][]history.Entry, applied uint64, floor int64) check.Verdict {
	v := check.NewVerdict("log agreement", "")
	var all []history.Entry
	compared := int64(0)
	for _, node := range slices.Sorted(maps.Keys(logs)) {
		log := UpTo(logs[node], applied)
		before := int64(len(all) + len(log))
		var differ []Conflict
		all, differ = union(all, log)
		compared += before - int64(len(all))
		for _, c := range differ {
			v.Add("conflict", 0, "entry %d of %s is of term %d, %s, and was of term %d, %s, elsewhere",
				c.Index, node, c.B.Term, shape(c.B), c.A.Term, shape(c.A))
		}
	}
	for _, h := range holesOf(all) {
		v.Notes["holes"] += int64(h.To - h.From + 1)
	}
	v.Saw("logs", int64(len(logs)), 2)
	v.Saw("entries compared", compared, floor)
	return v.Done()
}

// shape of an entry, for a person.
func shape(e history.Entry) string {
	if len(e.Commands) == 0 {
		return "no commands"
	}
	return fmt.Sprintf("%d commands from %s on", len(e.Commands), e.Commands[0].Kind)
}
