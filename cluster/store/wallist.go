//go:build !wasip1

package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/types"
	"go.etcd.io/bbolt"
)

// The list of raft-wal's segments, in the file and the format of raft-wal's own
// meta database, with what that lacks: raft-wal panics when the file has no
// buckets, takes a list with a wrong number for the right one, and deletes
// every segment when the list is gone. Beside the list stands its checksum:
//
//	bucket wal-meta: m -> the list as JSON, c -> CRC32C of it
var keyListSum = []byte("c")

// walList is the open list.
type walList struct {
	noStable
	db *bbolt.DB
}

// noStable is the part of types.MetaStore that raft-wal keeps a stable store
// with. Ours is elsewhere.
type noStable struct{}

var errNoStable = errors.New("the log keeps no values")

// GetStable implements types.MetaStore.
func (noStable) GetStable([]byte) ([]byte, error) { return nil, errNoStable }

// SetStable implements types.MetaStore.
func (noStable) SetStable([]byte, []byte) error { return errNoStable }

// Load implements types.MetaStore.
func (l *walList) Load(dir string) (types.PersistentState, error) {
	path := filepath.Join(dir, metadb.FileName)
	found, err := exists(path)
	if err == nil && !found {
		err = makeList(dir)
	}
	if err != nil {
		return types.PersistentState{}, err
	}
	if l.db, err = openList(path, &bbolt.Options{Timeout: boltLockWait}); err != nil {
		return types.PersistentState{}, err
	}
	return readList(l.db)
}

// makeList makes an empty list, durably and at once.
func makeList(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wal") {
			return fmt.Errorf("%w: segments without a list", errRotten)
		}
	}
	var library metadb.BoltMetaDB
	_, err = library.Load(dir)
	return errors.Join(err, library.Close())
}

// openList opens the file of a list that exists.
func openList(path string, o *bbolt.Options) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("%w: %s is empty", errRotten, path)
	}
	if err := checkBolt(path); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o644, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// readList reads the list; there may be none yet in the file.
func readList(db *bbolt.DB) (state types.PersistentState, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(metadb.MetaBucket))
		if bucket == nil {
			return fmt.Errorf("%w: no list of segments", errRotten)
		}
		raw, sum := bucket.Get([]byte(metadb.MetaKey)), bucket.Get(keyListSum)
		if raw == nil && sum == nil {
			return nil
		}
		// A list that was written before there was a sum has none.
		if sum != nil && string(sum) != string(listSum(raw)) {
			return fmt.Errorf("%w: list of segments: wrong checksum", errRotten)
		}
		if err := json.Unmarshal(raw, &state); err != nil {
			return fmt.Errorf("%w: list of segments: %w", errRotten, err)
		}
		return nil
	})
	return state, err
}

func listSum(raw []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum(raw, castagnoli))
}

// CommitState implements types.MetaStore.
func (l *walList) CommitState(s types.PersistentState) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return l.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(metadb.MetaBucket))
		return errors.Join(bucket.Put([]byte(metadb.MetaKey), raw), bucket.Put(keyListSum, listSum(raw)))
	})
}

// Close implements types.MetaStore. It may be called before Load, and again.
func (l *walList) Close() error {
	if l.db == nil {
		return nil
	}
	return l.db.Close()
}
