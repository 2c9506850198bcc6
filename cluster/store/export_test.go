package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// HasState reports whether this replica was ever part of a group.
func (s *Store) HasState() (bool, error) { return raft.HasExistingState(s.log, s.vote, s.snaps) }

// Watermark is the index up to which log or snapshot are known, durably, to
// have been durable.
func (s *Store) Watermark() uint64 { return s.mark.durableMark().end }

// Bytes is the size of all files of the group, preallocated space included.
func (s *Store) Bytes() (int64, error) { return treeBytes(s.opts.Dir) }

// Err is nil while the store may be used.
func (s *Store) Err() error { return s.poison.err() }

// treeBytes is the sum of the sizes of all files below dir. A file that
// vanishes meanwhile (a deleted segment, a reaped snapshot) does not count.
func treeBytes(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	return sum, err
}
