//go:build linux

package ferryfs

import (
	"context"
	"io"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// handle is one open file of one process. A power loss kills it.
type handle struct {
	fs    *FS
	inode *inode
	node  *node
	boot  int64
}

var (
	_ fusefs.FileReader    = (*handle)(nil)
	_ fusefs.FileWriter    = (*handle)(nil)
	_ fusefs.FileLseeker   = (*handle)(nil)
	_ fusefs.FileAllocater = (*handle)(nil)
	_ fusefs.FileFlusher   = (*handle)(nil)
	_ fusefs.FileReleaser  = (*handle)(nil)
)

func newHandle(f *FS, in *inode, n *node) *handle {
	return &handle{fs: f, inode: in, node: n, boot: f.boot.Load()}
}

// alive must be called inside the gate.
func (h *handle) alive() syscall.Errno {
	if h.boot != h.fs.boot.Load() {
		return syscall.EIO
	}
	return 0
}

// call is enter for calls on an open file.
func (h *handle) call() syscall.Errno {
	if e := h.fs.call(); e != 0 {
		return e
	}
	if e := h.alive(); e != 0 {
		h.fs.leave()
		return e
	}
	return 0
}

func (h *handle) Read(_ context.Context, buf []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if e := h.call(); e != 0 {
		return nil, e
	}
	defer h.fs.leave()
	if h.fs.bite(FailRead, h.node.name) != nil {
		return nil, syscall.EIO
	}
	n, err := h.inode.f.ReadAt(buf, off)
	if err != nil && err != io.EOF {
		return nil, errno(err)
	}
	h.fs.reads.Add(1)
	h.fs.bytesRead.Add(int64(n))
	return fuse.ReadResultData(buf[:n]), 0
}

func (h *handle) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if e := h.call(); e != 0 {
		return 0, e
	}
	defer h.fs.leave()
	if h.fs.bite(FailWrite, h.node.name) != nil {
		return 0, syscall.EIO
	}
	n, e := h.inode.write(&h.fs.faults, data, off)
	h.fs.writes.Add(1)
	h.fs.bytesWritten.Add(int64(n))
	return uint32(n), e
}

func (h *handle) Allocate(_ context.Context, off, size uint64, mode uint32) syscall.Errno {
	if e := h.call(); e != 0 {
		return e
	}
	defer h.fs.leave()
	if h.fs.bite(FailWrite, h.node.name) != nil {
		return syscall.EIO
	}
	return h.inode.allocate(&h.fs.faults, mode, int64(off), int64(size))
}

func (h *handle) Lseek(_ context.Context, off uint64, whence uint32) (uint64, syscall.Errno) {
	if e := h.call(); e != 0 {
		return 0, e
	}
	defer h.fs.leave()
	n, err := unix.Seek(int(h.inode.f.Fd()), int64(off), int(whence))
	return uint64(n), errno(err)
}

// Flush is a close of one descriptor: it makes nothing durable.
func (h *handle) Flush(context.Context) syscall.Errno {
	if e := h.call(); e != 0 {
		return e
	}
	h.fs.leave()
	return 0
}

// Release passes the gate even when it is shut: processes die without power.
func (h *handle) Release(context.Context) syscall.Errno {
	h.fs.gate.mu.RLock()
	defer h.fs.gate.mu.RUnlock()
	return h.fs.files.release(h.inode)
}
