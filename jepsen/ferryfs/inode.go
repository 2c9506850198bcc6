//go:build linux

package ferryfs

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// inode is a file that is open or has unsynced bytes. All handles on it share
// it.
type inode struct {
	ino   uint64
	order uint64   // by first use, so that a seed means the same twice
	f     *os.File // of the backing, for reading and writing

	handles int // guarded by files.mu

	mu     sync.Mutex
	shadow shadow
}

// write changes bytes; it may write less than asked if the disk is full. The
// lock covers I/O: the old bytes must be those that the write replaces.
func (n *inode) write(f *faults, data []byte, off int64) (int, syscall.Errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	grow := max(0, off+int64(len(data))-n.shadow.size)
	granted := f.take(grow)
	if data = data[:max(0, int64(len(data))-(grow-granted))]; granted < grow && len(data) == 0 {
		f.give(granted)
		return 0, syscall.ENOSPC
	}
	if err := n.shadow.preserve(n.f, off, int64(len(data))); err != nil {
		return 0, errno(err)
	}
	wrote, err := n.f.WriteAt(data, off)
	n.shadow.size = max(n.shadow.size, off+int64(wrote))
	return wrote, errno(err)
}

// resize truncates or extends.
func (n *inode) resize(f *faults, size int64) syscall.Errno {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.shadow.size
	if e := f.takeAll(size - was); e != 0 {
		return e
	}
	if err := n.shadow.preserve(n.f, size, min(was, n.shadow.durable)-size); err != nil {
		return errno(err)
	}
	if err := unix.Ftruncate(int(n.f.Fd()), size); err != nil {
		return errno(err)
	}
	n.shadow.size = size
	f.give(was - size)
	return 0
}

// allocate is fallocate in the modes that move nothing.
func (n *inode) allocate(f *faults, mode uint32, off, size int64) syscall.Errno {
	n.mu.Lock()
	defer n.mu.Unlock()
	const clears = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_ZERO_RANGE
	if mode&^uint32(unix.FALLOC_FL_KEEP_SIZE|clears) != 0 {
		return syscall.EOPNOTSUPP
	}
	end := n.shadow.size
	if mode&unix.FALLOC_FL_KEEP_SIZE == 0 {
		end = max(end, off+size)
	}
	if e := f.takeAll(end - n.shadow.size); e != 0 {
		return e
	}
	if mode&clears != 0 {
		if err := n.shadow.preserve(n.f, off, min(off+size, end)-off); err != nil {
			return errno(err)
		}
	}
	if err := unix.Fallocate(int(n.f.Fd()), mode, off, size); err != nil {
		return errno(err)
	}
	n.shadow.size = end
	return 0
}

func (n *inode) synced() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shadow.synced()
}

func (n *inode) failed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shadow.failed()
}
