//go:build linux

package ferryfs

import (
	"context"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, nil, 0, e
	}
	defer n.fs.leave()
	file, err := n.fs.journal.create(n.place(), name, int(flags), mode)
	if err != nil {
		return nil, nil, 0, errno(err)
	}
	in, err := n.fs.files.adopt(file)
	if err != nil {
		return nil, nil, 0, errno(err)
	}
	e := syscall.Errno(0)
	if flags&syscall.O_TRUNC != 0 {
		e = in.resize(&n.fs.faults, 0)
	}
	child, e2 := n.child(ctx, name, out)
	if e = max(e, e2); e != 0 {
		n.fs.files.release(in)
		return nil, nil, 0, e
	}
	return child, newHandle(n.fs, in, child.Operations().(*node)), 0, 0
}

func (n *node) Open(_ context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, 0, e
	}
	defer n.fs.leave()
	in, err := n.fs.files.open(n.path())
	if err != nil {
		return nil, 0, errno(err)
	}
	if flags&syscall.O_TRUNC != 0 {
		if e := in.resize(&n.fs.faults, 0); e != 0 {
			n.fs.files.release(in)
			return nil, 0, e
		}
	}
	return newHandle(n.fs, in, n), 0, 0
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, e
	}
	defer n.fs.leave()
	if e := n.fs.takeAll(folderBytes); e != 0 {
		return nil, e
	}
	if err := n.fs.journal.mkdir(n.place(), name, mode); err != nil {
		n.fs.give(folderBytes)
		return nil, errno(err)
	}
	return n.child(ctx, name, out)
}

func (n *node) Link(ctx context.Context, target fusefs.InodeEmbedder, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, e
	}
	defer n.fs.leave()
	from, ok := target.(*node)
	if !ok {
		return nil, syscall.EXDEV
	}
	if err := n.fs.journal.link(from.path(), n.place(), name); err != nil {
		return nil, errno(err)
	}
	return n.child(ctx, name, out)
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno { return n.remove(name, false) }

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno { return n.remove(name, true) }

func (n *node) remove(name string, folder bool) syscall.Errno {
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	freed, err := n.fs.journal.remove(n.place(), name, folder)
	n.fs.give(freed)
	return errno(err)
}

func (n *node) Rename(_ context.Context, name string, to fusefs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	dst, ok := to.(*node)
	if !ok {
		return syscall.EXDEV
	}
	if flags&^unix.RENAME_NOREPLACE != 0 {
		return syscall.EINVAL
	}
	freed, err := n.fs.journal.rename(n.place(), name, dst.place(), newName, flags&unix.RENAME_NOREPLACE == 0)
	n.fs.give(freed)
	return errno(err)
}
