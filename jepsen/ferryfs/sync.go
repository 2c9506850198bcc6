//go:build linux

package ferryfs

import (
	"context"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
)

// Fsync makes a file or a folder durable; fdatasync is no different. For files
// opened with O_SYNC or O_DSYNC the kernel calls it after every write.
func (n *node) Fsync(ctx context.Context, h fusefs.FileHandle, _ uint32) syscall.Errno {
	// The caller waits here, and the gate stays free for a power loss.
	if e := n.fs.stall(ctx, n.name); e != 0 {
		return e
	}
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	if h, ok := h.(*handle); ok {
		return n.syncFile(h)
	}
	return n.syncFolder()
}

func (n *node) syncFile(h *handle) syscall.Errno {
	if e := h.alive(); e != 0 {
		return e
	}
	if n.fs.bite(FailSync, n.name) != nil {
		h.inode.failed()
		return syscall.EIO
	}
	n.fs.syncs.Add(1)
	if n.fs.bite(DropSync, n.name) == nil {
		h.inode.synced()
	}
	return 0
}

func (n *node) syncFolder() syscall.Errno {
	if n.fs.bite(FailSync, n.name) != nil {
		return syscall.EIO
	}
	n.fs.folderSyncs.Add(1)
	if n.fs.bite(DropFolderSync, n.name) != nil {
		return 0
	}
	changed, err := n.fs.journal.sync(n.StableAttr().Ino)
	if err == nil && changed {
		err = n.fs.files.settleAll()
	}
	return errno(err)
}
