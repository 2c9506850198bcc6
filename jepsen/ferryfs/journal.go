//go:build linux

package ferryfs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// journal remembers the changes of names in each folder since its last fsync,
// and keeps every file and folder that such a change took a name from, under
// its number among the held.
//
// Of each file that a change names, a link is held from the first change to
// the last that is forgotten. Of a folder there is only one name: it is among
// the held exactly while it is removed and not forgotten.
type journal struct {
	counts *counts
	path   string // of the held
	max    int

	mu      sync.Mutex // covers the calls on the backing: names must not change in between
	held    int        // descriptor of the folder of the held
	folders map[uint64]*folder
	refs    map[uint64]int // changes that name a file or folder
	next    uint64
}

// folder is one with unsynced changes.
type folder struct {
	ino   uint64
	order uint64
	fd    int // a folder is found again whatever its path is by then
	ops   [][]change
}

// change is what a name meant before; ops are undone as a whole.
type change struct {
	name   string
	before uint64 // 0: nothing
}

// place is a folder of the backing.
type place struct {
	ino  uint64
	path string
}

func (j *journal) open(o Options, c *counts) error {
	j.counts, j.path, j.max = c, o.Held, o.UnsyncedNamesMax
	j.folders, j.refs = map[uint64]*folder{}, map[uint64]int{}
	if err := os.RemoveAll(j.path); err != nil {
		return err
	}
	if err := os.Mkdir(j.path, 0o700); err != nil {
		return err
	}
	var held, backing unix.Stat_t
	if err := errors.Join(unix.Stat(j.path, &held), unix.Stat(o.Backing, &backing)); err != nil {
		return err
	}
	if held.Dev != backing.Dev {
		return errors.Join(fmt.Errorf("%s and %s are on different file systems", j.path, o.Backing), os.Remove(j.path))
	}
	fd, err := openFolder(j.path)
	j.held = fd
	return err
}

func openFolder(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, fmt.Errorf("open folder %s: %w", path, err)
	}
	return fd, nil
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	errs := []error{j.drop(), unix.Close(j.held), os.RemoveAll(j.path)}
	return errors.Join(errs...)
}

// drop forgets everything without undoing it.
func (j *journal) drop() error {
	var errs []error
	for _, f := range j.folders {
		errs = append(errs, unix.Close(f.fd))
	}
	clear(j.folders)
	clear(j.refs)
	j.counts.unsyncedNames.Store(0)
	return errors.Join(errs...)
}

// folder opens the record of a folder.
func (j *journal) folder(p place) (*folder, error) {
	if f := j.folders[p.ino]; f != nil {
		return f, nil
	}
	fd, err := openFolder(p.path)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Ino != p.ino {
		// It was renamed or removed while its path was looked up.
		return nil, errors.Join(unix.ESTALE, err, unix.Close(fd))
	}
	j.next++
	f := &folder{ino: p.ino, order: j.next, fd: fd}
	j.folders[p.ino] = f
	return f, nil
}

// note adds an operation to a folder's record. What a name meant before must
// be held by then.
func (j *journal) note(f *folder, changes ...change) error {
	for _, c := range changes {
		if c.before != 0 {
			j.refs[c.before]++
		}
	}
	f.ops = append(f.ops, changes)
	if j.counts.unsyncedNames.Add(int64(len(changes))) > int64(j.max) {
		j.counts.forced.Add(1)
		return j.forget(f.ino)
	}
	return nil
}

// sync makes the names in a folder durable. It tells whether that let go of
// files.
func (j *journal) sync(ino uint64) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.folders[ino] == nil {
		return false, nil
	}
	return true, j.forget(ino)
}

func (j *journal) forget(ino uint64) error {
	f := j.folders[ino]
	if f == nil {
		return nil
	}
	delete(j.folders, ino)
	errs := []error{unix.Close(f.fd)}
	for _, op := range f.ops {
		j.counts.unsyncedNames.Add(-int64(len(op)))
		for _, c := range op {
			if c.before != 0 {
				errs = append(errs, j.unref(c.before))
			}
		}
	}
	return errors.Join(errs...)
}

// unref lets go of what no change names any more: then it is gone for good,
// unless it has another name.
func (j *journal) unref(ino uint64) error {
	if j.refs[ino]--; j.refs[ino] > 0 {
		return nil
	}
	delete(j.refs, ino)
	st, err := lookup(j.held, heldName(ino))
	if err != nil || st == nil {
		return err // a folder that was only renamed
	}
	if !isFolder(st) {
		return unix.Unlinkat(j.held, heldName(ino), 0)
	}
	return errors.Join(j.forget(ino), os.RemoveAll(filepath.Join(j.path, heldName(ino))))
}

func heldName(ino uint64) string { return strconv.FormatUint(ino, 10) }

// lookup gives what a name in a folder means, nil if nothing.
func lookup(fd int, name string) (*unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &st, nil
}

func isFolder(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }

// sorted lists the folders by their first change.
func (j *journal) sorted() []*folder {
	list := make([]*folder, 0, len(j.folders))
	for _, f := range j.folders {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *folder) int { return cmp.Compare(a.order, b.order) })
	return list
}
