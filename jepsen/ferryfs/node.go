//go:build linux

package ferryfs

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// node is a file or folder that the kernel knows. Its number is the backing's.
type node struct {
	fusefs.Inode
	fs *FS
}

var (
	_ fusefs.NodeLookuper  = (*node)(nil)
	_ fusefs.NodeGetattrer = (*node)(nil)
	_ fusefs.NodeSetattrer = (*node)(nil)
	_ fusefs.NodeReaddirer = (*node)(nil)
	_ fusefs.NodeStatfser  = (*node)(nil)
	_ fusefs.NodeCreater   = (*node)(nil)
	_ fusefs.NodeOpener    = (*node)(nil)
	_ fusefs.NodeMkdirer   = (*node)(nil)
	_ fusefs.NodeLinker    = (*node)(nil)
	_ fusefs.NodeUnlinker  = (*node)(nil)
	_ fusefs.NodeRmdirer   = (*node)(nil)
	_ fusefs.NodeRenamer   = (*node)(nil)
	_ fusefs.NodeFsyncer   = (*node)(nil)
)

// name is the path below the mount.
func (n *node) name() string { return filepath.Join(".", n.Path(n.Root())) }

// path is where the backing has it.
func (n *node) path() string { return filepath.Join(n.fs.options.Backing, n.name()) }

func (n *node) place() place { return place{ino: n.StableAttr().Ino, path: n.path()} }

// child makes the node for a name of this folder that exists.
func (n *node) child(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, filepath.Join(n.path(), name), unix.AT_SYMLINK_NOFOLLOW,
		unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st)
	if err != nil {
		return nil, errno(err)
	}
	fill(&out.Attr, &st)
	// A number that is used again after a removal is another file.
	born := uint64(st.Btime.Sec)*uint64(time.Second) + uint64(st.Btime.Nsec)
	attr := fusefs.StableAttr{Mode: uint32(st.Mode), Ino: st.Ino, Gen: born}
	return n.NewInode(ctx, &node{fs: n.fs}, attr), 0
}

func fill(out *fuse.Attr, st *unix.Statx_t) {
	out.Ino, out.Size, out.Blocks = st.Ino, st.Size, st.Blocks
	out.Atime, out.Atimensec = uint64(st.Atime.Sec), st.Atime.Nsec
	out.Mtime, out.Mtimensec = uint64(st.Mtime.Sec), st.Mtime.Nsec
	out.Ctime, out.Ctimensec = uint64(st.Ctime.Sec), st.Ctime.Nsec
	out.Mode, out.Nlink, out.Blksize = uint32(st.Mode), st.Nlink, st.Blksize
	out.Uid, out.Gid = st.Uid, st.Gid
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, e
	}
	defer n.fs.leave()
	return n.child(ctx, name, out)
}

func (n *node) Getattr(_ context.Context, h fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	return n.attr(h, out)
}

func (n *node) attr(h fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	var st unix.Statx_t
	fd, path, flags := unix.AT_FDCWD, n.path(), unix.AT_SYMLINK_NOFOLLOW
	if h, ok := h.(*handle); ok {
		if e := h.alive(); e != 0 {
			return e
		}
		fd, path, flags = int(h.inode.f.Fd()), "", unix.AT_EMPTY_PATH
	}
	if err := unix.Statx(fd, path, flags, unix.STATX_BASIC_STATS, &st); err != nil {
		return errno(err)
	}
	fill(&out.Attr, &st)
	return 0
}

func (n *node) Setattr(_ context.Context, h fusefs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if e := n.fs.call(); e != 0 {
		return e
	}
	defer n.fs.leave()
	if size, ok := in.GetSize(); ok {
		if e := n.resize(h, int64(size)); e != 0 {
			return e
		}
	}
	if e := n.setOther(in); e != 0 {
		return e
	}
	return n.attr(h, out)
}

func (n *node) resize(h fusefs.FileHandle, size int64) syscall.Errno {
	if n.fs.bite(FailWrite, n.name) != nil {
		return syscall.EIO
	}
	if h, ok := h.(*handle); ok {
		if e := h.alive(); e != 0 {
			return e
		}
		return h.inode.resize(&n.fs.faults, size)
	}
	file, err := n.fs.files.open(n.path())
	if err != nil {
		return errno(err)
	}
	e := file.resize(&n.fs.faults, size)
	return max(e, n.fs.files.release(file))
}

// setOther passes permissions, owners and times on. They are not undone.
func (n *node) setOther(in *fuse.SetAttrIn) syscall.Errno {
	path := n.path()
	if mode, ok := in.GetMode(); ok {
		if err := unix.Chmod(path, mode); err != nil {
			return errno(err)
		}
	}
	uid, gid := -1, -1
	if id, ok := in.GetUID(); ok {
		uid = int(id)
	}
	if id, ok := in.GetGID(); ok {
		gid = int(id)
	}
	if uid >= 0 || gid >= 0 {
		if err := os.Lchown(path, uid, gid); err != nil {
			return errno(err)
		}
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	if t, ok := in.GetATime(); ok {
		times[0] = unix.NsecToTimespec(t.UnixNano())
	}
	if t, ok := in.GetMTime(); ok {
		times[1] = unix.NsecToTimespec(t.UnixNano())
	}
	if times[0].Nsec == unix.UTIME_OMIT && times[1].Nsec == unix.UTIME_OMIT {
		return 0
	}
	return errno(unix.UtimesNanoAt(unix.AT_FDCWD, path, times[:], unix.AT_SYMLINK_NOFOLLOW))
}

// Readdir lists a folder as it is at this moment.
func (n *node) Readdir(context.Context) (fusefs.DirStream, syscall.Errno) {
	if e := n.fs.call(); e != 0 {
		return nil, e
	}
	defer n.fs.leave()
	entries, err := os.ReadDir(n.path())
	if err != nil {
		return nil, errno(err)
	}
	list := make([]fuse.DirEntry, 0, len(entries))
	for _, e := range entries {
		mode := uint32(syscall.S_IFREG)
		if e.IsDir() {
			mode = syscall.S_IFDIR
		}
		list = append(list, fuse.DirEntry{Name: e.Name(), Mode: mode})
	}
	return fusefs.NewListDirStream(list), 0
}
