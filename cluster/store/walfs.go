//go:build !wasip1

package store

import (
	"errors"
	"io"
	"sync"

	walfs "github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/types"
)

// walFS is raft-wal's file system with three additions. It fsyncs the folder
// when a file is created or opened for writing (raft-wal does so only at the
// first fsync of a file that it created itself, so a file that survived a mere
// process crash may never get a durable name). It reports I/O errors, because
// raft-wal creates segments in the background and only logs a failure there.
// And it knows what is open, because a raft-wal that fails to open leaves its
// files open.
type walFS struct {
	types.VFS
	syncDir func(string) error
	fail    func(error)

	mu   sync.Mutex
	open map[io.Closer]struct{}
}

func newWalFS(sync func(string) error, fail func(error)) *walFS {
	return &walFS{VFS: walfs.New(), syncDir: sync, fail: fail, open: map[io.Closer]struct{}{}}
}

func (w *walFS) Create(dir, name string, size uint64) (types.WritableFile, error) {
	f, err := w.VFS.Create(dir, name, size)
	return w.writable(dir, f, err)
}

func (w *walFS) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := w.VFS.OpenWriter(dir, name)
	if err != nil {
		// raft-wal asks for a tail that a crash may have left uncreated.
		return nil, err
	}
	return w.writable(dir, f, nil)
}

func (w *walFS) writable(dir string, f types.WritableFile, err error) (types.WritableFile, error) {
	if err != nil {
		w.fail(err)
		return nil, err
	}
	if err := w.syncDir(dir); err != nil {
		w.fail(err)
		return nil, errors.Join(err, f.Close())
	}
	file := &walFile{WritableFile: f, fs: w}
	w.track(file)
	return file, nil
}

func (w *walFS) OpenReader(dir, name string) (types.ReadableFile, error) {
	f, err := w.VFS.OpenReader(dir, name)
	if err != nil {
		return nil, err
	}
	file := &walReader{ReadableFile: f, fs: w}
	w.track(file)
	return file, nil
}

func (w *walFS) track(c io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = struct{}{}
}

func (w *walFS) forget(c io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
}

// closeAll closes what a failed open of the log left open.
func (w *walFS) closeAll() error {
	w.mu.Lock()
	left := make([]io.Closer, 0, len(w.open))
	for c := range w.open {
		left = append(left, c)
	}
	w.mu.Unlock()
	var errs []error
	for _, c := range left {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

type walFile struct {
	types.WritableFile
	fs *walFS
}

func (f *walFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.WritableFile.WriteAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		f.fs.fail(err)
	}
	return n, err
}

func (f *walFile) Sync() error {
	err := f.WritableFile.Sync()
	if err != nil {
		f.fs.fail(err)
	}
	return err
}

func (f *walFile) Close() error {
	f.fs.forget(f)
	return f.WritableFile.Close()
}

type walReader struct {
	types.ReadableFile
	fs *walFS
}

func (r *walReader) Close() error {
	r.fs.forget(r)
	return r.ReadableFile.Close()
}
