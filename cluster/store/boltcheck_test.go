package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft-wal/metadb"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// TestEveryGoodFileIsGood: a file that bbolt wrote is never called rotten,
// whatever is in it. A replica would be rebuilt for nothing.
func TestEveryGoodFileIsGood(t *testing.T) {
	for _, o := range []bbolt.Options{
		{NoSync: true},
		{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType},
		{NoSync: true, PageSize: 1 << 14},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			path := filepath.Join(t.TempDir(), "any.db")
			db, err := bbolt.Open(path, 0o600, &o)
			require.NoError(t, err)
			for i := range boltCommits {
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return changeBolt(tx, r) }))
				require.NoError(t, checkBolt(path), "after commit %d", i)
				if i%(boltCommits/3) == boltCommits/3-1 {
					require.NoError(t, db.Close())
					db, err = bbolt.Open(path, 0o600, &o)
					require.NoError(t, err)
					require.NoError(t, checkBolt(path), "opened again after commit %d", i)
				}
			}
			require.NoError(t, db.Close())
		})
	}
}

// changeBolt puts and deletes in buckets, some of them in others, with values
// of any size.
func changeBolt(tx *bbolt.Tx, r *rand.Rand) error {
	b, err := tx.CreateBucketIfNotExists([]byte{byte('a' + r.IntN(3))})
	for depth := r.IntN(3); depth > 0 && err == nil; depth-- {
		b, err = b.CreateBucketIfNotExists([]byte{'!', byte('a' + r.IntN(3))})
	}
	if err != nil {
		return err
	}
	deleting := r.IntN(3) == 0
	for range r.IntN(300) {
		key := fmt.Appendf(nil, "key %d", r.IntN(3000))
		if deleting {
			err = b.Delete(key)
		} else {
			err = b.Put(key, make([]byte, r.IntN(40)))
		}
		if err != nil {
			return err
		}
	}
	return b.Put([]byte("large"), make([]byte, r.IntN(100_000)))
}

// TestRottenListOfSegments: raft-wal ends the process when its list has no
// buckets, and deletes all segments when there is no list.
func TestRottenListOfSegments(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"without buckets": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			db, err := bbolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, db.Close())
		},
		"empty": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
		"gone":  func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"another number": func(t *testing.T, path string) {
			changeList(t, path, func(b *bbolt.Bucket) error {
				raw := append([]byte{}, b.Get([]byte(metadb.MetaKey))...)
				raw[len(`{"NextSegmentID":`)] ^= 1
				return b.Put([]byte(metadb.MetaKey), raw)
			})
		},
		"without a list": func(t *testing.T, path string) {
			changeList(t, path, func(b *bbolt.Bucket) error { return b.Delete([]byte(metadb.MetaKey)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t.TempDir(), LogStoreWAL)
			o.SegmentBytes = segmentBytesMin
			s := open(t, o)
			for i := range uint64(12) {
				require.NoError(t, s.Log().StoreLog(large(i+1)))
			}
			require.NoError(t, s.Close())
			before := len(segments(t, o.Dir))
			spoil(t, filepath.Join(o.Dir, walFolder, metadb.FileName))
			_, err := Open(o)
			require.ErrorIs(t, err, ErrForgotten)
			require.Len(t, segments(t, o.Dir), before, "segments were deleted")
		})
	}
}

func changeList(t *testing.T, path string, f func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return f(tx.Bucket([]byte(metadb.MetaBucket))) }))
	require.NoError(t, db.Close())
}

// TestListWithoutAChecksum: one that was written before there was one is read.
func TestListWithoutAChecksum(t *testing.T) {
	o := options(t.TempDir(), LogStoreWAL)
	s := open(t, o)
	fill(t, s, 1, 5)
	require.NoError(t, s.Close())
	changeList(t, filepath.Join(o.Dir, walFolder, metadb.FileName), func(b *bbolt.Bucket) error { return b.Delete(keyListSum) })
	requireEntries(t, open(t, o).Log(), 1, 5)
}

// TestFileThatCannotBeRead: what the system refuses is no rot, and no reason to
// rebuild.
func TestFileThatCannotBeRead(t *testing.T) {
	for _, file := range []string{stableFile, filepath.Join(walFolder, metadb.FileName), boltFile} {
		t.Run(file, func(t *testing.T) {
			kind := LogStoreWAL
			if file == boltFile {
				kind = LogStoreBolt
			}
			o := options(t.TempDir(), kind)
			s := open(t, o)
			fill(t, s, 1, 5)
			require.NoError(t, s.Close())
			path := filepath.Join(o.Dir, file)
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
			_, err := Open(o)
			require.Error(t, err)
			require.NotErrorIs(t, err, ErrForgotten)
			require.True(t, isIO(err), "%v", err)
		})
	}
}

// TestSnapshotHeadIsChecked: the checksum is made up when it is missing, and a
// head that does not match sets the snapshot aside.
func TestSnapshotHeadIsChecked(t *testing.T) {
	o := options(t.TempDir(), LogStoreWAL)
	s := open(t, o)
	fill(t, s, 1, 9)
	rotSnapshotAt(t, s, 4, 3)
	rotSnapshotAt(t, s, 8, 3)
	metas, err := s.Snapshots().List()
	require.NoError(t, err)
	require.Len(t, metas, 2)
	require.NoError(t, s.Close())

	newest := filepath.Join(o.Dir, snapshotsFolder, metas[0].ID)
	require.NoError(t, os.Remove(filepath.Join(newest, snapshotSum)))
	requireSnapshots(t, o, 8, 4)
	raw, err := os.ReadFile(filepath.Join(newest, snapshotMeta))
	require.NoError(t, err)
	for range 2 { // it stays aside
		require.NoError(t, os.WriteFile(filepath.Join(newest, snapshotMeta), append(raw, ' '), 0o600))
		requireSnapshots(t, o, 4)
		require.FileExists(t, filepath.Join(newest, snapshotMeta+badSuffix))
	}
	requireSnapshots(t, o, 4)
}

func requireSnapshots(t *testing.T, o Options, indexes ...uint64) {
	t.Helper()
	s := open(t, o)
	metas, err := s.Snapshots().List()
	require.NoError(t, err)
	var found []uint64
	for _, m := range metas {
		found = append(found, m.Index)
	}
	require.Equal(t, indexes, found)
	require.NoError(t, s.Close())
}
