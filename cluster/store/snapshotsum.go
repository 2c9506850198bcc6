package store

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// raft.FileSnapshotStore has a checksum of a snapshot's state and none of what
// stands beside it: index, term and configuration of the group. A snapshot that
// claims a higher index than its state has loses entries without a word, and
// the library removes the folder that it names. So a third file has the
// checksum of the second:
//
//	snapshots/<id>/state.bin   its CRC64 is in meta.json
//	snapshots/<id>/meta.json   its CRC32C is in meta.sum, as 8 hex digits
//
// It is written after the rename that commits the snapshot. A snapshot without
// one, from a crash in between or an earlier version, is believed and given one.
const (
	snapshotMeta = "meta.json"
	snapshotSum  = "meta.sum"
	sumDigits    = 8
	badSuffix    = ".bad"
)

// sumSnapshot writes the checksum of a committed snapshot, if that is still
// there: with newer ones beside it the library removes it at once.
func sumSnapshot(folder string, sync func(string) error) error {
	raw, err := os.ReadFile(filepath.Join(folder, snapshotMeta))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(folder, snapshotSum), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.WriteString(metaSum(raw))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return sync(folder)
}

func metaSum(raw []byte) string {
	return fmt.Sprintf("%0*x", sumDigits, crc32.Checksum(raw, castagnoli))
}

// rottenSnapshot tells whether a snapshot's meta.json is not what was written,
// and whether it has a checksum.
func rottenSnapshot(folder string) (rotten, summed bool, err error) {
	raw, err := os.ReadFile(filepath.Join(folder, snapshotMeta))
	if errors.Is(err, fs.ErrNotExist) {
		return false, true, nil // set aside before, or never whole: the library passes it over
	}
	if err != nil {
		return false, false, err
	}
	sum, err := os.ReadFile(filepath.Join(folder, snapshotSum))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, false, err
	}
	if len(sum) < sumDigits { // none, or torn by a crash
		return false, false, nil
	}
	return string(sum) != metaSum(raw), true, nil
}

// setRottenAside hides the snapshots whose meta.json is rotten from the
// library, and gives the others a checksum if they have none.
func (s *folderSnapshots) setRottenAside() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		folder := filepath.Join(s.dir, e.Name())
		if !e.IsDir() || filepath.Ext(folder) == snapshotTmp {
			continue
		}
		rotten, summed, err := rottenSnapshot(folder)
		switch {
		case err != nil:
		case rotten:
			s.logger.Error("snapshot is rotten, an older one or the log must do", "id", e.Name())
			meta := filepath.Join(folder, snapshotMeta)
			err = errors.Join(os.Rename(meta, meta+badSuffix), s.syncDir(folder))
		case !summed:
			err = sumSnapshot(folder, s.syncDir)
		}
		if err != nil {
			return fmt.Errorf("check snapshot %s: %w", e.Name(), err)
		}
	}
	return nil
}
