//go:build linux

package ferryfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("b")

func boltWrite(dir string) error { return boltAppend(dir, false) }

func boltWriteNoSync(dir string) error { return boltAppend(dir, true) }

// boltAppend adds numbers and says each when it is committed.
func boltAppend(dir string, noSync bool) error {
	db, err := bolt.Open(filepath.Join(dir, "db"), 0o600, &bolt.Options{NoSync: noSync, NoFreelistSync: true})
	if err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	for i := uint64(1); ; i++ {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			return b.Put(binary.BigEndian.AppendUint64(nil, i), make([]byte, 700))
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// boltCheck says up to which number all are there.
func boltCheck(dir string) error {
	db, err := bolt.Open(filepath.Join(dir, "db"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	last := uint64(0)
	err = db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			return err
		}
		b := tx.Bucket(bucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, _ []byte) error {
			if last++; binary.BigEndian.Uint64(k) != last {
				return fmt.Errorf("%d is missing", last)
			}
			return nil
		})
	})
	fmt.Println(last)
	return errors.Join(err, db.Close())
}

func openWAL(dir string) (*wal.WAL, error) {
	w, err := wal.Open(dir, wal.WithSegmentSize(64<<10))
	if err != nil {
		return nil, err
	}
	return w, syncDir(dir)
}

// walWrite appends entries and says each when it is stored.
func walWrite(dir string) error {
	w, err := openWAL(dir)
	if err != nil {
		return err
	}
	for i := uint64(1); ; i++ {
		if err := w.StoreLog(&raft.Log{Index: i, Term: 1, Data: make([]byte, 700)}); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// walCheck says up to which number all are there.
func walCheck(dir string) error {
	w, err := openWAL(dir)
	if err != nil {
		return err
	}
	last, err := w.LastIndex()
	if err != nil {
		return err
	}
	for i := uint64(1); i <= last; i++ {
		var l raft.Log
		if err := w.GetLog(i, &l); err != nil || len(l.Data) != 700 {
			return fmt.Errorf("entry %d: %d bytes: %w", i, len(l.Data), err)
		}
	}
	fmt.Println(last)
	return w.Close()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeAndCut lets a store run until it has acknowledged some entries, kills
// its process, takes the power, and gives the last acknowledged and what a
// check of the store says.
func writeAndCut(t *testing.T, f *FS, role, check string, l Loss) (acked uint64, after string) {
	t.Helper()
	a := act(t, plain(), role, f.Mountpoint())
	for range 120 + int(l.Seed)*41 {
		line, ok := a.next(t)
		require.True(t, ok)
		acked = number(t, line)
	}
	f.Freeze()
	// Its last words may be that a write failed.
	for _, line := range a.kill() {
		if n, err := strconv.ParseUint(line, 10, 64); err == nil {
			acked = n
		}
	}
	cut(t, f, l)
	return acked, run(t, check, f.Mountpoint())
}

func number(t *testing.T, line string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(line, 10, 64)
	require.NoError(t, err, line)
	return n
}

// TestStoresKeepWhatTheyAcked takes the power from stores that fsync: what they
// acknowledged is there, whatever survived of the rest.
func TestStoresKeepWhatTheyAcked(t *testing.T) {
	for _, store := range []string{"bolt", "wal"} {
		for _, l := range []Loss{{}, {Torn: true, Seed: 1}, {Torn: true, Seed: 2}, {Torn: true, Seed: 3}} {
			t.Run(fmt.Sprintf("%s %+v", store, l), func(t *testing.T) {
				f := mounted(t, Options{})
				acked, after := writeAndCut(t, f, store, store+"-check", l)
				found := number(t, after)
				require.GreaterOrEqual(t, found, acked)
				require.LessOrEqual(t, found, acked+1)
				require.Greater(t, f.Counters().Syncs, int64(acked))
				require.Zero(t, f.Counters().Forced)
			})
		}
	}
}

// TestStoresLoseWhatTheyDidNotSync is the other side: the same stores without
// fsyncs lose, so that the tool can find it.
func TestStoresLoseWhatTheyDidNotSync(t *testing.T) {
	for _, row := range []struct {
		name, role, check string
		lie               bool // the disk does not fsync although it says so
	}{
		{"bolt without fsync", "bolt-nosync", "bolt-check", false},
		{"bolt on a lying disk", "bolt", "bolt-check", true},
		{"wal on a lying disk", "wal", "wal-check", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := mounted(t, Options{})
			if row.lie {
				require.NoError(t, f.Arm(DropSync, Arming{}))
			}
			acked, after := writeAndCut(t, f, row.role, row.check, Loss{})
			require.Greater(t, f.Counters().Lost, int64(0))
			if !strings.HasPrefix(after, "error:") {
				require.Less(t, number(t, after), acked)
			}
		})
	}
}

// TestStoresLoseTheirNames holds that a store whose folder was never fsynced
// is gone, however well its bytes were.
func TestStoresLoseTheirNames(t *testing.T) {
	f := mounted(t, Options{})
	require.NoError(t, f.Arm(DropFolderSync, Arming{}))
	acked, after := writeAndCut(t, f, "bolt", "bolt-check", Loss{})
	require.Greater(t, acked, uint64(0))
	require.Equal(t, "0", after)
	require.Greater(t, bites(f, DropFolderSync), int64(0))
}
