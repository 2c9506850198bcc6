//go:build linux

package ferryfs

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// create makes a file, or opens the one there is unless flags say otherwise.
func (j *journal) create(p place, name string, flags int, mode uint32) (*os.File, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := j.folder(p)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(p.path, name)
	const always = os.O_RDWR | unix.O_NOFOLLOW
	file, err := os.OpenFile(path, always|os.O_CREATE|os.O_EXCL, os.FileMode(mode&0o777))
	if errors.Is(err, os.ErrExist) && flags&os.O_EXCL == 0 {
		return os.OpenFile(path, always, 0)
	}
	if err != nil {
		return nil, err
	}
	// The mode is as the caller's umask left it; this process's has no say.
	if err := errors.Join(file.Chmod(os.FileMode(mode&0o777)), j.note(f, change{name: name})); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// mkdir makes a folder.
func (j *journal) mkdir(p place, name string, mode uint32) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := j.folder(p)
	if err != nil {
		return err
	}
	if err := unix.Mkdirat(f.fd, name, mode); err != nil {
		return err
	}
	return errors.Join(unix.Fchmodat(f.fd, name, mode, 0), j.note(f, change{name: name}))
}

// link gives the file at a path another name.
func (j *journal) link(from string, p place, name string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := j.folder(p)
	if err != nil {
		return err
	}
	if err := unix.Linkat(unix.AT_FDCWD, from, f.fd, name, 0); err != nil {
		return err
	}
	return j.note(f, change{name: name})
}

// remove takes a name away and returns the bytes that this frees.
func (j *journal) remove(p place, name string, folder bool) (freed int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := j.folder(p)
	if err != nil {
		return 0, err
	}
	st, err := lookup(f.fd, name)
	switch {
	case err != nil:
		return 0, err
	case st == nil:
		return 0, syscall.ENOENT
	case folder && !isFolder(st):
		return 0, syscall.ENOTDIR
	case !folder && isFolder(st):
		return 0, syscall.EISDIR
	}
	freed = j.frees(st)
	if err := j.takeAway(f, name, st); err != nil {
		return 0, err
	}
	return freed, j.note(f, change{name, st.Ino})
}

// frees is what the removal of a name gives back.
func (j *journal) frees(st *unix.Stat_t) int64 {
	names := st.Nlink
	if j.refs[st.Ino] > 0 {
		names-- // the held one
	}
	switch {
	case isFolder(st):
		return folderBytes
	case names > 1:
		return 0
	}
	return st.Size
}

// takeAway moves what a name means to the held.
func (j *journal) takeAway(f *folder, name string, st *unix.Stat_t) error {
	if isFolder(st) {
		if err := empty(f.fd, name); err != nil {
			return err
		}
	} else if j.refs[st.Ino] > 0 {
		return unix.Unlinkat(f.fd, name, 0)
	}
	return unix.Renameat(f.fd, name, j.held, heldName(st.Ino))
}

func empty(fd int, name string) error {
	dir, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(dir), name)
	names, _ := file.Readdirnames(1)
	if err := file.Close(); err != nil {
		return err
	}
	if len(names) > 0 {
		return syscall.ENOTEMPTY
	}
	return nil
}

// rename moves a name, over whatever has the new one.
func (j *journal) rename(from place, name string, to place, newName string, replace bool) (freed int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	src, err := j.folder(from)
	if err != nil {
		return 0, err
	}
	dst, err := j.folder(to)
	if err != nil {
		return 0, err
	}
	st, err := lookup(src.fd, name)
	if err != nil {
		return 0, err
	}
	over, err := lookup(dst.fd, newName)
	if err != nil {
		return 0, err
	}
	if e := mayRename(st, over, replace); e != 0 {
		return 0, e
	}
	if over != nil && over.Ino == st.Ino {
		return 0, nil // two names of one file: nothing happens
	}
	return j.move(src, name, st, dst, newName, over)
}

func mayRename(st, over *unix.Stat_t, replace bool) syscall.Errno {
	switch {
	case st == nil:
		return syscall.ENOENT
	case over == nil:
		return 0
	case !replace:
		return syscall.EEXIST
	case isFolder(over) && !isFolder(st):
		return syscall.EISDIR
	case !isFolder(over) && isFolder(st):
		return syscall.ENOTDIR
	}
	return 0
}

func (j *journal) move(src *folder, name string, st *unix.Stat_t, dst *folder, newName string, over *unix.Stat_t) (freed int64, err error) {
	var before uint64
	if over != nil {
		before, freed = over.Ino, j.frees(over)
		if err := j.takeAway(dst, newName, over); err != nil {
			return 0, err
		}
	}
	if !isFolder(st) && j.refs[st.Ino] == 0 {
		if err := unix.Linkat(src.fd, name, j.held, heldName(st.Ino), 0); err != nil {
			return 0, err
		}
	}
	if err := unix.Renameat(src.fd, name, dst.fd, newName); err != nil {
		return 0, err
	}
	if src == dst {
		return freed, j.note(src, change{name, st.Ino}, change{newName, before})
	}
	// The new name first: a bound that is reached in between then leaves two
	// names rather than none.
	if err := j.note(dst, change{newName, before}); err != nil {
		return freed, err
	}
	if err := j.note(src, change{name, st.Ino}); err != nil {
		return freed, err
	}
	if isFolder(st) {
		// A folder cannot have two names, nor none: both are made durable.
		j.counts.forced.Add(1)
		return freed, errors.Join(j.forget(dst.ino), j.forget(src.ino))
	}
	return freed, nil
}
