//go:build linux || darwin || freebsd

package serve

import (
	"os"

	"golang.org/x/sys/unix"
)

const canSeeDisk = true

// space tells the bytes of the file system that dir is on: free for this
// process, and in all.
func space(dir string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	block := uint64(s.Bsize)
	return uint64(s.Bavail) * block, s.Blocks * block, nil
}
