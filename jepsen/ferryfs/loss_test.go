//go:build linux

package ferryfs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPowerLoss takes exactly what was not synced: each row prepares a durable
// state, changes it, and says what is left.
func TestPowerLoss(t *testing.T) {
	type files = map[string]string
	durable := files{"a": "one", "d/": "", "d/b": "two"}
	for name, row := range map[string]struct {
		change func(*testing.T, *FS)
		want   files
	}{
		"nothing": {func(*testing.T, *FS) {}, durable},
		"create": {func(t *testing.T, f *FS) {
			put(t, f, "c", "new", false, false)
		}, durable},
		"create, bytes synced": {func(t *testing.T, f *FS) {
			put(t, f, "c", "new", true, false)
		}, durable},
		"create, name synced": {func(t *testing.T, f *FS) {
			put(t, f, "c", "new", false, true)
		}, files{"a": "one", "c": "", "d/": "", "d/b": "two"}},
		"create, both synced": {func(t *testing.T, f *FS) {
			put(t, f, "c", "new", true, true)
		}, files{"a": "one", "c": "new", "d/": "", "d/b": "two"}},
		"rewrite": {func(t *testing.T, f *FS) {
			put(t, f, "a", "longer than before", false, true)
		}, durable},
		"rewrite, synced": {func(t *testing.T, f *FS) {
			put(t, f, "a", "longer than before", true, false)
		}, files{"a": "longer than before", "d/": "", "d/b": "two"}},
		"truncate": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Truncate(f.at("a"), 1))
		}, durable},
		"truncate and extend": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Truncate(f.at("a"), 1))
			require.NoError(t, os.Truncate(f.at("a"), 9000))
		}, durable},
		"truncate, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Truncate(f.at("a"), 1))
			syncFile(t, f, "a")
		}, files{"a": "o", "d/": "", "d/b": "two"}},
		"allocate": {func(t *testing.T, f *FS) {
			file, err := os.OpenFile(f.at("a"), os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, unix.Fallocate(int(file.Fd()), 0, 0, 8192))
			require.NoError(t, unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 2))
			require.NoError(t, file.Close())
			require.Equal(t, "\x00\x00e"+strings.Repeat("\x00", 8189), tree(t, f.Mountpoint())["a"])
		}, durable},
		"remove": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Remove(f.at("a")))
		}, durable},
		"remove, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Remove(f.at("a")))
			syncFolder(t, f, ".")
		}, files{"d/": "", "d/b": "two"}},
		"remove and make again": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Remove(f.at("a")))
			put(t, f, "a", "another", true, false)
		}, durable},
		"remove and make again, name synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Remove(f.at("a")))
			put(t, f, "a", "another", false, true)
		}, files{"a": "", "d/": "", "d/b": "two"}},
		"rename": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("a"), f.at("z")))
		}, durable},
		"rename, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("a"), f.at("z")))
			syncFolder(t, f, ".")
		}, files{"z": "one", "d/": "", "d/b": "two"}},
		"rename over": {func(t *testing.T, f *FS) {
			put(t, f, "a.tmp", "next", true, false)
			require.NoError(t, os.Rename(f.at("a.tmp"), f.at("a")))
		}, durable},
		"rename over, synced": {func(t *testing.T, f *FS) {
			put(t, f, "a.tmp", "next", true, false)
			require.NoError(t, os.Rename(f.at("a.tmp"), f.at("a")))
			syncFolder(t, f, ".")
		}, files{"a": "next", "d/": "", "d/b": "two"}},
		"rename over, bytes not synced": {func(t *testing.T, f *FS) {
			put(t, f, "a.tmp", "next", false, false)
			require.NoError(t, os.Rename(f.at("a.tmp"), f.at("a")))
			syncFolder(t, f, ".")
		}, files{"a": "", "d/": "", "d/b": "two"}},
		"rename in a circle": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("a"), f.at("x")))
			require.NoError(t, os.Rename(f.at("d/b"), f.at("a")))
			require.NoError(t, os.Rename(f.at("x"), f.at("d/b")))
			require.NoError(t, os.Remove(f.at("a")))
		}, durable},
		"rename to another folder, one synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("a"), f.at("d/a")))
			syncFolder(t, f, "d")
		}, files{"a": "one", "d/": "", "d/a": "one", "d/b": "two"}},
		"rename to another folder, the other synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("a"), f.at("d/a")))
			syncFolder(t, f, ".")
		}, files{"d/": "", "d/b": "two"}},
		"link": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Link(f.at("a"), f.at("l")))
			require.NoError(t, os.Remove(f.at("a")))
		}, durable},
		"link, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Link(f.at("a"), f.at("l")))
			require.NoError(t, os.Remove(f.at("a")))
			syncFolder(t, f, ".")
		}, files{"l": "one", "d/": "", "d/b": "two"}},
		"make folders": {func(t *testing.T, f *FS) {
			require.NoError(t, os.MkdirAll(f.at("e/e"), 0o755))
			put(t, f, "e/e/f", "deep", true, true)
			syncFolder(t, f, "e")
		}, durable},
		"make folders, top synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.MkdirAll(f.at("e/e"), 0o755))
			put(t, f, "e/e/f", "deep", true, true)
			syncFolder(t, f, ".")
		}, files{"a": "one", "d/": "", "d/b": "two", "e/": ""}},
		"remove a folder": {func(t *testing.T, f *FS) {
			require.ErrorIs(t, os.Remove(f.at("d")), syscall.ENOTEMPTY)
			require.NoError(t, os.RemoveAll(f.at("d")))
		}, durable},
		"remove a folder, inside synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Remove(f.at("d/b")))
			syncFolder(t, f, "d")
			require.NoError(t, os.Remove(f.at("d")))
		}, files{"a": "one", "d/": ""}},
		"remove a folder, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.RemoveAll(f.at("d")))
			syncFolder(t, f, ".")
		}, files{"a": "one"}},
		"rename a folder and write in it": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("d"), f.at("d.old")))
			put(t, f, "d.old/c", "new", true, true)
			require.NoError(t, os.Mkdir(f.at("d"), 0o755))
			put(t, f, "d/b", "of another", true, true)
		}, files{"a": "one", "d/": "", "d/b": "two", "d/c": "new"}},
		"rename a folder, synced": {func(t *testing.T, f *FS) {
			require.NoError(t, os.Rename(f.at("d"), f.at("d.old")))
			put(t, f, "d.old/c", "new", true, false)
			syncFolder(t, f, ".")
		}, files{"a": "one", "d.old/": "", "d.old/b": "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := mounted(t, Options{})
			require.NoError(t, os.Mkdir(f.at("d"), 0o755))
			put(t, f, "a", "one", true, true)
			put(t, f, "d/b", "two", true, true)
			row.change(t, f)
			before := tree(t, f.Backing())
			for name := range before {
				_, err := os.Stat(f.at(name))
				require.NoError(t, err, "the kernel knows it now")
			}
			cut(t, f, Loss{})
			requireForgotten(t, f, before, row.want)
			requireTree(t, f, row.want)
			require.Zero(t, cut(t, f, Loss{}).Total(), "a second loss finds nothing")
			requireTree(t, f, row.want)
			requireUsable(t, f)
			c := f.Counters()
			require.Zero(t, c.Forced)
			requireClosed(t, f)
			require.EqualValues(t, 2, c.PowerLosses)
		})
	}
}

// requireForgotten looks at each name that was there, without listing its
// folder first, which would tell the kernel: it must not answer from memory.
func requireForgotten(t *testing.T, f *FS, before, want map[string]string) {
	t.Helper()
	for name := range before {
		info, err := os.Stat(f.at(name))
		text, ok := want[name]
		require.Equal(t, ok, err == nil, "%s: %v", name, err)
		if ok && !info.IsDir() {
			require.EqualValues(t, len(text), info.Size(), name)
		}
	}
}

// requireUsable says that everything can be written, renamed and removed.
func requireUsable(t *testing.T, f *FS) {
	t.Helper()
	for name := range tree(t, f.Mountpoint()) {
		if !strings.HasSuffix(name, "/") {
			put(t, f, name, "again", true, true)
			require.NoError(t, os.Rename(f.at(name), f.at(name+".new")))
			syncFolder(t, f, filepath.Dir(name))
		}
	}
	require.Zero(t, f.Counters().UnsyncedBytes)
}

func syncFile(t testing.TB, f *FS, name string) {
	t.Helper()
	file, err := os.OpenFile(f.at(name), os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, file.Sync())
	require.NoError(t, file.Close())
}

// TestSyncOnWrite holds that O_SYNC and O_DSYNC need no fsync.
func TestSyncOnWrite(t *testing.T) {
	for name, flag := range map[string]int{"sync": unix.O_SYNC, "dsync": unix.O_DSYNC} {
		t.Run(name, func(t *testing.T) {
			f := mounted(t, Options{})
			put(t, f, "a", "", true, true)
			file, err := os.OpenFile(f.at("a"), os.O_RDWR|flag, 0)
			require.NoError(t, err)
			_, err = file.WriteString("kept")
			require.NoError(t, err)
			require.NoError(t, file.Close())
			cut(t, f, Loss{})
			requireTree(t, f, map[string]string{"a": "kept"})
		})
	}
}

// TestDeadAfterPowerLoss holds that a process that outlived the power gets
// nothing but errors, before and after it is back.
func TestDeadAfterPowerLoss(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "one", true, true)
	file, err := os.OpenFile(f.at("a"), os.O_RDWR, 0)
	require.NoError(t, err)
	f.Freeze()
	require.True(t, f.Frozen())
	_, err = file.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, syscall.EIO)
	_, err = os.ReadDir(f.Mountpoint())
	require.ErrorIs(t, err, syscall.EIO)
	_, err = os.Create(f.at("b"))
	require.ErrorIs(t, err, syscall.EIO)
	_, err = f.PowerLoss(Loss{})
	require.NoError(t, err)
	require.ErrorIs(t, file.Sync(), syscall.EIO)
	f.PowerOn()
	require.ErrorIs(t, file.Sync(), syscall.EIO, "its file is of before the loss")
	_, err = file.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, file.Close(), syscall.EIO)
	requireTree(t, f, map[string]string{"a": "one"})
	requireClosed(t, f)
}

// requireClosed waits a little: the kernel does not wait for a close.
func requireClosed(t testing.TB, f *FS) {
	t.Helper()
	require.Eventually(t, func() bool { return f.Counters().OpenFiles == 0 }, soon, time.Millisecond)
}

// TestTornLoss holds that a torn loss keeps some sectors and drops others, and
// that the seed decides which.
func TestTornLoss(t *testing.T) {
	const sectors = 64
	torn := func(seed uint64) string {
		f := mounted(t, Options{})
		put(t, f, "a", strings.Repeat("o", sectors*sectorBytes), true, true)
		file, err := os.OpenFile(f.at("a"), os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = file.WriteAt([]byte(strings.Repeat("n", sectors*sectorBytes)), 0)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		lost := cut(t, f, Loss{Torn: true, Seed: seed})
		text := tree(t, f.Mountpoint())["a"]
		require.Len(t, text, sectors*sectorBytes)
		var old int64
		for i := range sectors {
			sector := text[i*sectorBytes:][:sectorBytes]
			require.Equal(t, strings.Repeat(sector[:1], sectorBytes), sector, "a sector is never torn")
			if sector[0] == 'o' {
				old++
			}
		}
		require.Equal(t, old, lost.Sectors)
		require.Greater(t, old, int64(sectors/8))
		require.Less(t, old, int64(sectors*7/8))
		return text
	}
	require.Equal(t, torn(1), torn(1))
	require.NotEqual(t, torn(1), torn(2))
}

// TestTornTruncate holds that a torn truncate happened or did not: the old size
// never comes back with holes in it.
func TestTornTruncate(t *testing.T) {
	f := mounted(t, Options{})
	old := strings.Repeat("o", 20*sectorBytes)
	seen := map[int]bool{}
	for seed := range uint64(16) {
		put(t, f, "a", old, true, true)
		require.NoError(t, os.Truncate(f.at("a"), sectorBytes))
		cut(t, f, Loss{Torn: true, Seed: seed})
		text := tree(t, f.Mountpoint())["a"]
		require.Equal(t, old[:len(text)], text)
		seen[len(text)] = true
	}
	require.Equal(t, map[int]bool{sectorBytes: true, len(old): true}, seen)
}

// TestBoundedMemory holds that the undo memory is bounded, and that what it
// cannot remember is counted.
func TestBoundedMemory(t *testing.T) {
	f := mounted(t, Options{UnsyncedBytesMax: 64 << 10, UnsyncedNamesMax: 8})
	text := strings.Repeat("x", 1<<20)
	put(t, f, "a", text, true, true)
	require.NoError(t, os.WriteFile(f.at("a"), []byte(strings.Repeat("y", 1<<20)), 0o644))
	c := f.Counters()
	require.Greater(t, c.Forced, int64(0))
	require.LessOrEqual(t, c.UnsyncedBytes, int64(64<<10))
	for range 100 {
		require.NoError(t, os.Rename(f.at("a"), f.at("b")))
		require.NoError(t, os.Rename(f.at("b"), f.at("a")))
	}
	require.Greater(t, f.Counters().Forced, c.Forced)
	require.LessOrEqual(t, f.Counters().UnsyncedNames, int64(8))
}
