//go:build linux

package ferryfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPlainUse holds that without faults it is a folder like any other.
func TestPlainUse(t *testing.T) {
	f := mounted(t, Options{})
	require.NoError(t, os.Mkdir(f.at("d"), 0o750))
	put(t, f, "d/a", "text", false, false)
	file, err := os.OpenFile(f.at("d/a"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(" and more")
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(file.Fd()), unix.LOCK_EX))
	require.NoError(t, file.Close())
	require.NoError(t, os.Chmod(f.at("d/a"), 0o600))
	when := time.Unix(1e9, 0)
	require.NoError(t, os.Chtimes(f.at("d/a"), when, when))
	info, err := os.Stat(f.at("d/a"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.True(t, when.Equal(info.ModTime()))
	require.EqualValues(t, len("text and more"), info.Size())
	info, err = os.Stat(f.at("d"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o750)|os.ModeDir, info.Mode())
	requireTree(t, f, map[string]string{"d/": "", "d/a": "text and more"})

	_, err = os.OpenFile(f.at("d/a"), os.O_CREATE|os.O_EXCL, 0o600)
	require.ErrorIs(t, err, os.ErrExist)
	require.Error(t, unix.Renameat2(unix.AT_FDCWD, f.at("d/a"), unix.AT_FDCWD, f.at("d/b"), unix.RENAME_EXCHANGE))
	put(t, f, "b", "other", false, false)
	err = unix.Renameat2(unix.AT_FDCWD, f.at("b"), unix.AT_FDCWD, f.at("d/a"), unix.RENAME_NOREPLACE)
	require.ErrorIs(t, err, syscall.EEXIST)

	c := f.Counters()
	require.Greater(t, c.Calls, c.Reads+c.Writes)
	require.EqualValues(t, len("text and more")+len("other"), c.BytesWritten)
	require.Greater(t, c.UnsyncedBytes, int64(0))
	require.Zero(t, c.Syncs)
	require.Empty(t, c.Bites)
}

// TestNumbersAreUsedAgain holds that a removed file lends nothing to a new one
// that gets its number.
func TestNumbersAreUsedAgain(t *testing.T) {
	f := mounted(t, Options{})
	for i := range 200 {
		text := strings.Repeat(string(rune('a'+i%26)), 100+i)
		put(t, f, "a", text, i%3 == 0, i%2 == 0)
		require.Equal(t, text, tree(t, f.Mountpoint())["a"])
		require.NoError(t, os.Remove(f.at("a")))
		if i%5 == 0 {
			syncFolder(t, f, ".")
		}
	}
	syncFolder(t, f, ".")
	require.Empty(t, tree(t, f.options.Held))
	require.Eventually(t, func() bool { return f.Counters().UnsyncedBytes == 0 }, soon, time.Millisecond)
}

// TestCloseWithOpenFiles holds that a mount in use goes away all the same.
func TestCloseWithOpenFiles(t *testing.T) {
	f := mounted(t, Options{})
	file := open(t, f, "a")
	_, err := file.WriteString("text")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "twice is once")
	require.Empty(t, mounts(f.Mountpoint()))
	_, err = file.WriteString("text")
	require.Error(t, err)
	require.Equal(t, map[string]string{"a": "text"}, tree(t, f.Backing()))
	require.Empty(t, tree(t, f.Mountpoint()))
}

// TestMountAgain holds that a backing can be used by one mount after another,
// also after one whose process was killed.
func TestMountAgain(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "text", false, false)
	require.NoError(t, os.Rename(f.at("a"), f.at("b")))
	require.NoError(t, f.Close())
	require.NoError(t, os.MkdirAll(filepath.Join(f.options.Held, "77"), 0o755), "left by a killed one")
	again, err := Mount(f.options)
	require.NoError(t, err)
	require.NoError(t, again.Arm(HangSync, Arming{}))
	requireTree(t, again, map[string]string{"b": "text"})
	require.NoError(t, again.Close())
}

// holdMount mounts, says where, and waits to be killed.
func holdMount(dir string) error {
	f, err := Mount(Options{Backing: filepath.Join(dir, "backing"), Mountpoint: filepath.Join(dir, "mnt")})
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.at("a"), []byte("text"), 0o600); err != nil {
		return err
	}
	fmt.Println(mounts(dir))
	return forever()
}

// TestKilledLeavesNothing kills a process that has a mount, in a namespace of
// its own, and finds no trace of the mount.
func TestKilledLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"backing", "mnt"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	a := act(t, inOwnNamespace(), "hold", dir)
	line, _ := a.next(t)
	require.Contains(t, line, filepath.Join(dir, "mnt"), "it has the mount")
	require.Empty(t, mounts(dir), "nobody else has")
	require.Empty(t, tree(t, filepath.Join(dir, "mnt")))
	a.kill()
	require.Empty(t, mounts(dir))
	require.NoError(t, os.Remove(filepath.Join(dir, "mnt")), "nothing holds it")
	require.Equal(t, "text", tree(t, dir)["backing/a"])
}

// mapFile reads and writes a file through memory.
func mapFile(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "a"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	m, err := unix.Mmap(int(file.Fd()), 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt([]byte("written"), 0); err != nil {
		return err
	}
	fmt.Println("mapped sees", string(m[:7]))
	copy(m[4096:], "by map, ")
	if err := unix.Msync(m, unix.MS_SYNC); err != nil {
		return err
	}
	copy(m[4104:], "not synced")
	fmt.Println("done")
	return forever()
}

// TestMapped holds that mapped files work, that msync counts as an fsync, and
// that what a killed process wrote by memory only is gone with the power.
func TestMapped(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", strings.Repeat(".", 8192), true, true)
	a := act(t, plain(), "map", f.Mountpoint())
	line, _ := a.next(t)
	require.Equal(t, "mapped sees written", line)
	line, _ = a.next(t)
	require.Equal(t, "done", line)
	a.kill()
	cut(t, f, Loss{})
	text := tree(t, f.Mountpoint())["a"]
	require.Equal(t, "written.", text[:8])
	require.Equal(t, "by map, ..........", text[4096:][:18])
}

// syncOnce fsyncs a file.
func syncOnce(dir string) error {
	file, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		return err
	}
	fmt.Println("begins")
	return file.Sync()
}

// TestKillDuringHang holds that a process in a hanging fsync can be killed: the
// kernel ends it only when the call is answered.
func TestKillDuringHang(t *testing.T) {
	f := mounted(t, Options{})
	require.NoError(t, f.Arm(HangSync, Arming{}))
	a := act(t, plain(), "sync", f.Mountpoint())
	line, _ := a.next(t)
	require.Equal(t, "begins", line)
	require.Eventually(t, func() bool { return f.Counters().Hanging == 1 }, soon, time.Millisecond)
	began := time.Now()
	a.kill()
	require.Less(t, time.Since(began), soon)
	require.Zero(t, f.Counters().Hanging)
	require.EqualValues(t, 1, bites(f, HangSync))
}
