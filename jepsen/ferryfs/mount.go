//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// attrTime is for how long the kernel may remember a size. Every change goes
// through the kernel, but for those of a power loss, which tells it. Names it
// must ask for each time: an answer may be under way to it when the power
// goes, and would be remembered after it was told to forget.
const attrTime = time.Minute

// FS is one mounted folder. Its methods are safe for concurrent use.
type FS struct {
	gate
	faults
	counts

	options Options
	root    *node
	files   files
	journal journal

	server *fuse.Server
	served chan struct{} // closed when the server's loop has ended

	closing sync.Once
	closed  error
}

// Mount serves options.Backing under options.Mountpoint until Close.
func Mount(options Options) (*FS, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	f := &FS{options: options, served: make(chan struct{})}
	f.faults.init()
	f.files.init(&f.counts, options.UnsyncedBytesMax)
	if err := f.journal.open(options, &f.counts); err != nil {
		return nil, err
	}
	if err := f.serve(); err != nil {
		return nil, fmt.Errorf("mount %s: %w (it needs root and /dev/fuse)", options.Mountpoint, errors.Join(err, f.journal.close()))
	}
	return f, nil
}

// serve mounts and starts the goroutine that Close waits for.
func (f *FS) serve() error {
	var st unix.Stat_t
	if err := unix.Stat(f.options.Backing, &st); err != nil {
		return err
	}
	names, sizes := time.Duration(0), attrTime
	f.root = &node{fs: f}
	raw := fusefs.NewNodeFS(f.root, &fusefs.Options{
		EntryTimeout:    &names,
		AttrTimeout:     &sizes,
		NullPermissions: true,
		RootStableAttr:  &fusefs.StableAttr{Ino: st.Ino, Gen: 1},
	})
	server, err := fuse.NewServer(raw, f.options.Mountpoint, &fuse.MountOptions{
		FsName:                   "ferryfs",
		Name:                     "ferryfs",
		AllowOther:               true,
		DirectMountStrict:        true,
		DisableXAttrs:            true,
		Logger:                   log.New(io.Discard, "", 0), // of answers to those who are gone
		PanicHandler:             func(v any) fuse.Status { panic(v) },
		ExplicitDataCacheControl: true,
	})
	if err != nil {
		return err
	}
	if err := keepToSelf(); err != nil {
		return errors.Join(err, unix.Unmount(f.options.Mountpoint, unix.MNT_FORCE|unix.MNT_DETACH))
	}
	f.server = server
	go func() {
		defer close(f.served)
		server.Serve()
	}()
	if err := server.WaitMount(); err != nil {
		return errors.Join(err, f.unmount())
	}
	return nil
}

// Close releases what hangs, unmounts, waits for the server and removes what
// was held. Processes that still have files open get errors from then on.
// Without a PowerLoss before it, everything counts as written.
func (f *FS) Close() error {
	f.closing.Do(func() {
		f.faults.close()
		f.closed = errors.Join(f.unmount(), f.files.close(), f.journal.close())
	})
	return f.closed
}

func (f *FS) unmount() error {
	err := unix.Unmount(f.options.Mountpoint, 0)
	if err != nil {
		// In use: break the connection and take the mount out of the tree.
		err = unix.Unmount(f.options.Mountpoint, unix.MNT_FORCE|unix.MNT_DETACH)
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) {
		err = nil // somebody else unmounted it
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", f.options.Mountpoint, err)
	}
	<-f.served
	return nil
}

// Mountpoint is the folder that a node is given.
func (f *FS) Mountpoint() string { return f.options.Mountpoint }

// Backing is the folder that holds the files.
func (f *FS) Backing() string { return f.options.Backing }

// errno gives the code of an error of package os or unix.
func errno(err error) syscall.Errno {
	var code syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return code
	case errors.Is(err, os.ErrClosed):
		return syscall.EBADF
	}
	return syscall.EIO
}
