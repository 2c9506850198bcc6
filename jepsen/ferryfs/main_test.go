//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	insideEnv = "FERRYFS_TEST_INSIDE" // set in the process that has mounts of its own
	roleEnv   = "FERRYFS_TEST_ROLE"   // what a process started by a test does instead of testing
)

// TestMain runs the tests in a process with a mount namespace of its own, so
// that no mount of theirs is ever seen outside, and none is left even if they
// are killed. Without root the tests run here, and fail at their first mount.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(roleEnv) != "":
		os.Exit(runRole(os.Getenv(roleEnv)))
	case os.Getenv(insideEnv) != "" || os.Geteuid() != 0:
		os.Exit(m.Run())
	}
	runtime.LockOSThread() // the child is killed when this thread ends
	if err := runInside(); err != nil {
		fmt.Fprintln(os.Stderr, "ferryfs tests:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runInside() error {
	dir, err := os.MkdirTemp("", "ferryfs-tests")
	if err != nil {
		return err
	}
	cmd := inOwnNamespace(os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1", "TMPDIR="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if left := mounts(dir); len(left) > 0 {
		return errors.Join(err, fmt.Errorf("mounts are left: %v", left))
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// inOwnNamespace starts this program again, where its mounts are its own.
func inOwnNamespace(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// mounts lists the mountpoints of this kind that begin with a path.
func mounts(below string) []string {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return []string{err.Error()}
	}
	var list []string
	for line := range strings.Lines(string(info)) {
		fields := strings.Fields(line)
		if strings.Contains(line, "fuse.ferryfs") && strings.HasPrefix(fields[4], below) {
			list = append(list, fields[4])
		}
	}
	return list
}

// mounted makes a file system, and checks in the end that nothing of it is left.
func mounted(t testing.TB, o Options) *FS {
	t.Helper()
	dir := t.TempDir()
	o.Backing, o.Mountpoint = filepath.Join(dir, "backing"), filepath.Join(dir, "mnt")
	require.NoError(t, os.Mkdir(o.Backing, 0o755))
	require.NoError(t, os.Mkdir(o.Mountpoint, 0o755))
	f, err := Mount(o)
	require.NoError(t, err, "these tests need root and /dev/fuse")
	t.Cleanup(func() {
		require.NoError(t, f.Close())
		require.Empty(t, mounts(dir))
		require.NoDirExists(t, f.options.Held)
	})
	return f
}

func (f *FS) at(name string) string { return filepath.Join(f.Mountpoint(), name) }

// put writes a file and says whether its bytes and its name are fsynced.
func put(t testing.TB, f *FS, name, text string, bytes, names bool) {
	t.Helper()
	file, err := os.OpenFile(f.at(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	if bytes {
		require.NoError(t, file.Sync())
	}
	require.NoError(t, file.Close())
	if names {
		syncFolder(t, f, filepath.Dir(name))
	}
}

func syncFolder(t testing.TB, f *FS, name string) {
	t.Helper()
	require.NoError(t, trySyncFolder(f, name))
}

func trySyncFolder(f *FS, name string) error {
	dir, err := os.Open(f.at(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// cut is a power loss, and the power is back.
func cut(t testing.TB, f *FS, l Loss) Lost {
	t.Helper()
	lost, err := f.PowerLoss(l)
	require.NoError(t, err)
	f.PowerOn()
	return lost
}

// tree gives every path with the contents, folders with a slash.
func tree(t interface {
	require.TestingT
	Helper()
}, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			found[name+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	}))
	return found
}

// requireTree compares what is under the mount, and what the backing has.
func requireTree(t testing.TB, f *FS, want map[string]string) {
	t.Helper()
	require.Equal(t, want, tree(t, f.Mountpoint()))
	require.Equal(t, want, tree(t, f.Backing()))
}
