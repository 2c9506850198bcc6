//go:build linux

package ferryfs

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func bites(f *FS, fault Fault) int64 { return f.Counters().Bites[fault] }

func open(t testing.TB, f *FS, name string) *os.File {
	t.Helper()
	file, err := os.OpenFile(f.at(name), os.O_RDWR|os.O_CREATE, 0o644)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestArmRefusesNonsense(t *testing.T) {
	f := mounted(t, Options{})
	require.Error(t, f.Arm(faultCount, Arming{}))
	require.Error(t, f.Arm(FailSync, Arming{Path: "["}))
	require.Error(t, f.Arm(FailSync, Arming{Times: -1}))
	require.Error(t, f.Arm(SlowSync, Arming{}))
	require.Empty(t, f.Counters().Bites)
}

func TestMountRefusesNonsense(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []Options{
		{},
		{Backing: dir + "/none", Mountpoint: dir},
		{Backing: dir, Mountpoint: dir},
		{Backing: dir, Mountpoint: t.TempDir(), UnsyncedBytesMax: -1},
		{Backing: dir, Mountpoint: t.TempDir(), Held: dir + "/in"},
		{Backing: dir, Mountpoint: t.TempDir(), Held: "/proc/none"},
	} {
		_, err := Mount(o)
		require.Error(t, err, "%+v", o)
	}
	require.Empty(t, mounts(dir))
}

// TestFailSync holds that a failed fsync is remembered: a later one that works
// does not make durable what the first one lost, until it is written again.
func TestFailSync(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "one", true, true)
	file := open(t, f, "a")
	_, err := file.WriteAt([]byte("two"), 0)
	require.NoError(t, err)
	require.NoError(t, f.Arm(FailSync, Arming{Times: 1}))
	require.ErrorIs(t, file.Sync(), syscall.EIO)
	require.NoError(t, file.Sync(), "it bites once")
	require.EqualValues(t, 1, bites(f, FailSync))
	require.Equal(t, "two", tree(t, f.Mountpoint())["a"])
	cut(t, f, Loss{Torn: true, Seed: 1})
	requireTree(t, f, map[string]string{"a": "one"})

	file = open(t, f, "a")
	require.NoError(t, f.Arm(FailSync, Arming{Times: 2}))
	for range 2 {
		_, err = file.WriteAt([]byte("two"), 0)
		require.NoError(t, err)
		require.ErrorIs(t, unix.Fdatasync(int(file.Fd())), syscall.EIO)
	}
	_, err = file.WriteAt([]byte("two"), 0)
	require.NoError(t, err)
	require.NoError(t, file.Sync())
	cut(t, f, Loss{})
	requireTree(t, f, map[string]string{"a": "two"})
}

// TestFailByPath holds that a pattern spares other files, and that no number
// means every time.
func TestFailByPath(t *testing.T) {
	f := mounted(t, Options{})
	require.NoError(t, os.Mkdir(f.at("wal"), 0o755))
	one, other := open(t, f, "wal/1.wal"), open(t, f, "raft.db")
	for _, pattern := range []string{"*.wal", "wal/*"} {
		require.NoError(t, f.Arm(FailSync, Arming{Path: pattern}))
		for range 3 {
			require.ErrorIs(t, one.Sync(), syscall.EIO)
			require.NoError(t, other.Sync())
			require.NoError(t, trySyncFolder(f, "wal"))
		}
	}
	require.NoError(t, f.Arm(FailSync, Arming{Path: "wal"}))
	require.ErrorIs(t, trySyncFolder(f, "wal"), syscall.EIO)
	require.NoError(t, trySyncFolder(f, "."))
	require.NoError(t, one.Sync())
	require.EqualValues(t, 7, bites(f, FailSync))
	f.Calm()
	require.NoError(t, trySyncFolder(f, "wal"))
}

func TestFailWrite(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "one", true, true)
	file := open(t, f, "a")
	require.NoError(t, f.Arm(FailWrite, Arming{}))
	_, err := file.WriteAt([]byte("two"), 0)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, file.Truncate(0), syscall.EIO)
	require.ErrorIs(t, os.Truncate(f.at("a"), 0), syscall.EIO)
	require.ErrorIs(t, unix.Fallocate(int(file.Fd()), 0, 0, 100), syscall.EIO)
	require.EqualValues(t, 4, bites(f, FailWrite))
	requireTree(t, f, map[string]string{"a": "one"})
	f.Disarm(FailWrite)
	_, err = file.WriteAt([]byte("two"), 0)
	require.NoError(t, err)
	requireTree(t, f, map[string]string{"a": "two"})
}

// TestFailRead holds that a read fails that the kernel could have answered.
func TestFailRead(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "one", true, true)
	file := open(t, f, "a")
	buf := make([]byte, 3)
	_, err := file.ReadAt(buf, 0)
	require.NoError(t, err)
	require.NoError(t, f.Arm(FailRead, Arming{}))
	_, err = file.ReadAt(buf, 0)
	require.ErrorIs(t, err, syscall.EIO)
	require.Greater(t, bites(f, FailRead), int64(0))
	f.Disarm(FailRead)
	_, err = file.ReadAt(buf, 0)
	require.NoError(t, err)
	require.Equal(t, "one", string(buf))
}

func statfs(t testing.TB, f *FS) unix.Statfs_t {
	t.Helper()
	var st unix.Statfs_t
	require.NoError(t, unix.Statfs(f.Mountpoint(), &st))
	return st
}

// TestNoSpace holds that a full disk refuses growth and nothing else, that it
// takes what fits, says so beforehand, and that removing makes room.
func TestNoSpace(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", strings.Repeat("a", 8192), true, true)
	require.Greater(t, statfs(t, f).Bavail, uint64(4))
	require.NoError(t, f.Arm(NoSpace, Arming{Bytes: 16384}))
	st := statfs(t, f)
	require.EqualValues(t, 16384, st.Bavail*uint64(st.Bsize))
	require.Equal(t, st.Bavail, st.Bfree)

	file := open(t, f, "b")
	n, err := file.Write(make([]byte, 20000))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, 16384, n, "what fits is written")
	require.Zero(t, statfs(t, f).Bavail)
	_, err = file.WriteAt([]byte("overwritten"), 100)
	require.NoError(t, err, "what does not grow is written")
	require.ErrorIs(t, file.Truncate(20000), syscall.ENOSPC)
	require.ErrorIs(t, unix.Fallocate(int(file.Fd()), 0, 0, 20000), syscall.ENOSPC)
	require.ErrorIs(t, os.Mkdir(f.at("d"), 0o755), syscall.ENOSPC)
	require.GreaterOrEqual(t, bites(f, NoSpace), int64(4))

	require.NoError(t, os.Remove(f.at("a")))
	require.EqualValues(t, 8192, statfs(t, f).Bavail*uint64(st.Bsize))
	require.NoError(t, os.Mkdir(f.at("d"), 0o755))
	require.NoError(t, file.Truncate(16384+4096))
	require.ErrorIs(t, file.Truncate(16384+4097), syscall.ENOSPC)
	require.NoError(t, file.Truncate(0))
	require.EqualValues(t, 16384+4096, statfs(t, f).Bavail*uint64(st.Bsize))

	f.Disarm(NoSpace)
	require.NoError(t, file.Truncate(1<<20))
	require.Greater(t, statfs(t, f).Bavail, uint64(5))
}

func TestSlowSync(t *testing.T) {
	f := mounted(t, Options{})
	file := open(t, f, "a")
	require.NoError(t, f.Arm(SlowSync, Arming{Delay: 60 * time.Millisecond, Times: 2}))
	for _, sync := range []func() error{file.Sync, func() error { return trySyncFolder(f, ".") }} {
		began := time.Now()
		require.NoError(t, sync())
		require.GreaterOrEqual(t, time.Since(began), 60*time.Millisecond)
	}
	require.EqualValues(t, 2, bites(f, SlowSync))
}

// hanging starts an fsync that hangs, and gives what it returns in the end.
func hanging(t testing.TB, f *FS) <-chan error {
	t.Helper()
	file := open(t, f, "a")
	require.NoError(t, f.Arm(HangSync, Arming{}))
	ended := make(chan error, 1)
	go func() { ended <- file.Sync() }()
	require.Eventually(t, func() bool { return f.Counters().Hanging == 1 }, soon, time.Millisecond)
	select {
	case err := <-ended:
		require.Fail(t, "it did not hang", "%v", err)
	case <-time.After(50 * time.Millisecond):
	}
	require.EqualValues(t, 1, bites(f, HangSync))
	return ended
}

func ends(t testing.TB, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(soon):
		require.Fail(t, "it still hangs")
		return nil
	}
}

// TestHangSync holds that a hanging fsync stops nothing else, and ends when it
// is told to, when the power is cut, and when the mount is closed.
func TestHangSync(t *testing.T) {
	t.Run("disarmed", func(t *testing.T) {
		f := mounted(t, Options{})
		ended := hanging(t, f)
		put(t, f, "b", "meanwhile", false, false)
		f.Disarm(HangSync)
		require.NoError(t, ends(t, ended))
		require.Zero(t, f.Counters().Hanging)
	})
	t.Run("power cut", func(t *testing.T) {
		f := mounted(t, Options{})
		ended := hanging(t, f)
		cut(t, f, Loss{})
		require.ErrorIs(t, ends(t, ended), syscall.EIO)
		require.Empty(t, tree(t, f.Mountpoint()))
	})
	t.Run("closed", func(t *testing.T) {
		f := mounted(t, Options{})
		ended := hanging(t, f)
		require.NoError(t, f.Close())
		err := ends(t, ended)
		require.True(t, err == nil || errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ECONNABORTED), "%v", err)
	})
}

// TestDroppedSyncs holds that an fsync can lie.
func TestDroppedSyncs(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "one", true, true)
	require.NoError(t, f.Arm(DropSync, Arming{}))
	put(t, f, "a", "two", true, true)
	require.NoError(t, f.Arm(DropFolderSync, Arming{}))
	put(t, f, "b", "new", true, true)
	require.EqualValues(t, 2, bites(f, DropSync))
	require.EqualValues(t, 1, bites(f, DropFolderSync))
	cut(t, f, Loss{})
	requireTree(t, f, map[string]string{"a": "one"})
}
