package store

import "github.com/hashicorp/raft"

// sliceEntries bounds one transaction of a DeleteRange. raft-boltdb deletes a
// range in a single one; over 300,000 entries that took 12 s, during which
// nothing could be stored.
const sliceEntries = 4096

// slicedLog deletes in slices, and always so that a crash in between leaves a
// log without a new hole: a prefix from the front, a suffix from the back.
type slicedLog struct {
	raft.LogStore
}

func (s *slicedLog) IsMonotonic() bool { return isMonotonic(s.LogStore) }

func (s *slicedLog) DeleteRange(min, max uint64) error {
	first, err := s.FirstIndex()
	if err != nil {
		return err
	}
	if min <= first {
		return s.deletePrefix(max)
	}
	return s.deleteSuffix(min, max)
}

// deletePrefix starts each slice at the first entry that is left, so that a
// hole in the log costs nothing.
func (s *slicedLog) deletePrefix(max uint64) error {
	for {
		first, err := s.FirstIndex()
		if err != nil || first == 0 || first > max {
			return err
		}
		end := max
		if max-first >= sliceEntries {
			end = first + sliceEntries - 1
		}
		if err := s.LogStore.DeleteRange(first, end); err != nil {
			return err
		}
	}
}

func (s *slicedLog) deleteSuffix(min, max uint64) error {
	for {
		last, err := s.LastIndex()
		if err != nil || last < min {
			return err
		}
		if last > max {
			// Neither a prefix nor a suffix; raft never asks for it.
			return s.LogStore.DeleteRange(min, max)
		}
		start := min
		if last-min >= sliceEntries {
			start = last - sliceEntries + 1
		}
		if err := s.LogStore.DeleteRange(start, last); err != nil {
			return err
		}
	}
}
