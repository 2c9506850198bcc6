//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A process that holds the device keeps the mount's callers waiting when the
// server has died, where no signal reaches them.
func TestChildrenDoNotGetTheDevice(t *testing.T) {
	mounted(t, Options{})
	child := exec.Command("/bin/sleep", "60")
	require.NoError(t, child.Start())
	defer func() {
		require.NoError(t, child.Process.Kill())
		require.Error(t, child.Wait())
	}()
	dir := fmt.Sprintf("/proc/%d/fd", child.Process.Pid)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was a library that the child has loaded by now
		}
		require.NoError(t, err)
		require.NotEqual(t, fuseDevice, to)
	}
}
