//go:build linux

package ferryfs

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// folderBytes is what a new folder takes.
const folderBytes = 4096

// take asks for n bytes of growth and returns how many are granted. A hole
// counts as if it were filled. Growth by nothing is always granted.
func (f *faults) take(n int64) int64 {
	if n <= 0 || f.set.Load()&(1<<NoSpace) == 0 {
		return n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.armed[NoSpace]
	if a == nil {
		return n
	}
	granted := min(n, a.left)
	a.left -= granted
	if granted < n {
		f.bites[NoSpace].Add(1)
	}
	return granted
}

// takeAll is take for what cannot be done in part.
func (f *faults) takeAll(n int64) syscall.Errno {
	if granted := f.take(n); granted < n {
		f.give(granted)
		return syscall.ENOSPC
	}
	return 0
}

// give returns bytes that were freed.
func (f *faults) give(n int64) {
	if n <= 0 || f.set.Load()&(1<<NoSpace) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.armed[NoSpace]; a != nil {
		a.left += n
	}
}

// left is how much may grow; ok is false without a limit.
func (f *faults) left() (n int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.armed[NoSpace]; a != nil {
		return a.left, true
	}
	return 0, false
}

// Statfs tells the backing's numbers, with no more free than may grow.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	var st syscall.Statfs_t
	if err := syscall.Statfs(n.fs.options.Backing, &st); err != nil {
		return errno(err)
	}
	out.FromStatfsT(&st)
	if left, ok := n.fs.left(); ok && out.Bsize > 0 {
		blocks := uint64(left) / uint64(out.Bsize)
		out.Bfree, out.Bavail = min(out.Bfree, blocks), min(out.Bavail, blocks)
	}
	return 0
}
