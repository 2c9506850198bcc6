//go:build linux

package ferryfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const fuseDevice = "/dev/fuse"

// keepToSelf keeps the device of a mount from the processes that this one
// starts: the library opens it without O_CLOEXEC. Whoever holds the device
// keeps the mount alive when its server is dead, and waits for it for ever,
// beyond the reach of SIGKILL.
func keepToSelf() error {
	const fds = "/proc/self/fd"
	entries, err := os.ReadDir(fds)
	if err != nil {
		return fmt.Errorf("find the device of a mount: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// The fd of the listing itself is gone by now.
		if to, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && to == fuseDevice {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
