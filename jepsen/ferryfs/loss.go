//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Loss says what a power loss takes.
type Loss struct {
	// Torn lets some of what was not fsynced survive: any of the sectors of
	// 512 bytes, the new size or the old, and in each folder the first so many
	// changes of names. Otherwise nothing of it does.
	Torn bool

	// Seed decides what survives of a torn loss.
	Seed uint64
}

// Lost is what a power loss undid.
type Lost struct {
	Sectors int64 // put back to their durable bytes
	Sizes   int64 // of files, put back
	Names   int64 // created, renamed or removed, put back
}

// Total is greater than zero if the loss took anything.
func (l Lost) Total() int64 { return l.Sectors + l.Sizes + l.Names }

// PowerLoss cuts the power (see Freeze) and undoes what was not fsynced. The
// files as they are then are the disk's: nothing is unsynced. The power stays
// off until PowerOn.
func (f *FS) PowerLoss(loss Loss) (Lost, error) {
	f.Freeze()
	lost, err := f.rollBack(loss)
	f.powerLosses.Add(1)
	f.lost.Add(lost.Total())
	dropNames(f.root.EmbeddedInode())
	if err != nil {
		return lost, fmt.Errorf("power loss: %w", err)
	}
	return lost, nil
}

func (f *FS) rollBack(loss Loss) (lost Lost, err error) {
	f.gate.mu.Lock()
	defer f.gate.mu.Unlock()
	f.boot.Add(1)
	var random *rand.Rand
	if loss.Torn {
		random = rand.New(rand.NewPCG(loss.Seed, 0x6665727279))
	}
	var errs []error
	for _, n := range f.files.all() {
		n.mu.Lock()
		sectors, sizes, err := n.shadow.lose(n.f, random)
		n.mu.Unlock()
		lost.Sectors, lost.Sizes = lost.Sectors+sectors, lost.Sizes+sizes
		errs = append(errs, err)
	}
	lost.Names, err = f.journal.lose(random)
	errs = append(errs, err, f.files.settleAll())
	return lost, errors.Join(errs...)
}

// target is what a name has to mean after a power loss.
type target struct {
	folder *folder
	name   string
	ino    uint64 // 0: nothing
	done   bool
}

// lose undoes changes of names: all of them, or in each folder those after a
// random one. It returns how many names it changed.
func (j *journal) lose(random *rand.Rand) (names int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var targets []*target
	for _, f := range j.sorted() {
		kept := 0
		if random != nil {
			kept = random.IntN(len(f.ops) + 1)
		}
		targets = append(targets, f.targets(kept)...)
	}
	var errs []error
	// First every name that means the wrong thing is taken away, then what is
	// missing is put back. So renames in a circle need no care.
	for _, t := range targets {
		errs = append(errs, j.vacate(t))
	}
	for _, t := range targets {
		if !t.done {
			names++
			errs = append(errs, j.putBack(t))
		}
	}
	errs = append(errs, j.drop(), removeAllIn(j.path))
	return names, errors.Join(errs...)
}

// targets is what the names of a folder meant after its first kept operations.
func (f *folder) targets(kept int) []*target {
	var list []*target
	seen := map[string]bool{}
	for _, op := range f.ops[kept:] {
		for _, c := range op {
			if !seen[c.name] {
				seen[c.name] = true
				list = append(list, &target{folder: f, name: c.name, ino: c.before})
			}
		}
	}
	return list
}

func (j *journal) vacate(t *target) error {
	st, err := lookup(t.folder.fd, t.name)
	if err != nil {
		return err
	}
	switch {
	case st == nil:
		t.done = t.ino == 0
		return nil
	case st.Ino == t.ino:
		t.done = true
		return nil
	}
	there, err := lookup(j.held, heldName(st.Ino))
	if err != nil {
		return err
	}
	if there != nil {
		return unix.Unlinkat(t.folder.fd, t.name, 0)
	}
	return unix.Renameat(t.folder.fd, t.name, j.held, heldName(st.Ino))
}

func (j *journal) putBack(t *target) error {
	if t.ino == 0 {
		return nil
	}
	st, err := lookup(j.held, heldName(t.ino))
	if err != nil {
		return err
	}
	if st == nil {
		return fmt.Errorf("%q (number %d) is not among the held", t.name, t.ino)
	}
	if isFolder(st) {
		err = unix.Renameat(j.held, heldName(t.ino), t.folder.fd, t.name)
	} else {
		err = unix.Linkat(j.held, heldName(t.ino), t.folder.fd, t.name, 0)
	}
	if err != nil {
		return fmt.Errorf("put %q back: %w", t.name, err)
	}
	return nil
}

func removeAllIn(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}
