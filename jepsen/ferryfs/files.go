//go:build linux

package ferryfs

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// files finds the one inode of a backing file. An inode stays while it is open
// or not clean; its descriptor keeps the kernel from using its number again.
type files struct {
	counts *counts
	max    int64

	mu    sync.Mutex
	byIno map[uint64]*inode
	next  uint64
}

func (t *files) init(c *counts, unsyncedBytesMax int64) {
	t.counts, t.max, t.byIno = c, unsyncedBytesMax, map[uint64]*inode{}
}

// open finds the inode of a backing file by its path.
func (t *files) open(path string) (*inode, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return t.adopt(f)
}

// adopt finds the inode of an open file, which it takes over.
func (t *files) adopt(f *os.File) (*inode, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t.counts.openFiles.Add(1)
	if n := t.byIno[st.Ino]; n != nil {
		n.handles++
		return n, f.Close()
	}
	t.next++
	n := &inode{ino: st.Ino, order: t.next, f: f, handles: 1}
	n.shadow = shadow{size: st.Size, durable: st.Size, blocks: map[int64]*block{}, counts: t.counts, max: t.max}
	t.byIno[st.Ino] = n
	return n, nil
}

// release is the end of one handle.
func (t *files) release(n *inode) syscall.Errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.handles--
	t.counts.openFiles.Add(-1)
	return errno(t.settle(n))
}

// settle closes an inode that nobody needs: not open, and either clean or
// without a name (a removal that may be undone keeps a name among the held).
func (t *files) settle(n *inode) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.handles > 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(n.f.Fd()), &st); err != nil {
		return err
	}
	if !n.shadow.clean() && st.Nlink > 0 {
		return nil
	}
	n.shadow.clear()
	delete(t.byIno, n.ino)
	return n.f.Close()
}

// settleAll looks at those that lost their last name since.
func (t *files) settleAll() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, n := range t.byIno {
		errs = append(errs, t.settle(n))
	}
	return errors.Join(errs...)
}

// all lists the inodes by their first use.
func (t *files) all() []*inode {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*inode, 0, len(t.byIno))
	for _, n := range t.byIno {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *inode) int { return cmp.Compare(a.order, b.order) })
	return list
}

func (t *files) close() error {
	var errs []error
	for _, n := range t.all() {
		errs = append(errs, n.f.Close())
	}
	return errors.Join(errs...)
}
