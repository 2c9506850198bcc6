//go:build linux

package ferryfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// ErrNothingToRot: no file that matches holds anything but zeros.
var ErrNothingToRot = errors.New("no file with data to rot")

// Rot says what rots.
type Rot struct {
	Path string // a pattern, as Arming.Path is; empty: any file
	Bits int    // to flip, each in a byte of its own; 0 is one
	Seed uint64 // decides the file and the bits
}

// Rotten is one bit that was flipped.
type Rotten struct {
	Path   string // below the mount
	Offset int64
	Was    byte
	Is     byte
}

func (r Rotten) String() string {
	return fmt.Sprintf("%s at %d: %02x is now %02x", r.Path, r.Offset, r.Was, r.Is)
}

// Rot flips bits of one file, in sectors that hold data (all zeros is none),
// with the power on or off, and lets the kernel forget what it had of it. Bits
// in bytes that were not fsynced may be put back by a power loss.
func (f *FS) Rot(r Rot) ([]Rotten, error) {
	random := rand.New(rand.NewPCG(r.Seed, 0x726f74))
	names, err := f.matching(r.Path)
	if err != nil {
		return nil, err
	}
	for len(names) > 0 {
		i := random.IntN(len(names))
		name := names[i]
		flipped, err := f.rotFile(name, max(r.Bits, 1), random)
		if err != nil {
			return flipped, fmt.Errorf("rot %s: %w", name, err)
		}
		if len(flipped) > 0 {
			f.rotten.Add(int64(len(flipped)))
			f.dropFile(name)
			return flipped, nil
		}
		names = append(names[:i], names[i+1:]...)
	}
	return nil, fmt.Errorf("%w: %q", ErrNothingToRot, r.Path)
}

// matching lists the files that a pattern means, in order.
func (f *FS) matching(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("rot %q: %w", pattern, err)
	}
	var names []string
	err := filepath.WalkDir(f.options.Backing, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(f.options.Backing, path)
		if err == nil && (Arming{Path: pattern}).matches(name) {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// rotFile flips up to bits bits; none if the file holds only zeros.
func (f *FS) rotFile(name string, bits int, random *rand.Rand) ([]Rotten, error) {
	in, err := f.files.open(filepath.Join(f.options.Backing, name))
	if err != nil {
		return nil, err
	}
	flipped, err := in.rot(bits, random)
	for i := range flipped {
		flipped[i].Path = name
	}
	if e := f.files.release(in); e != 0 {
		err = errors.Join(err, e)
	}
	return flipped, err
}

func (n *inode) rot(bits int, random *rand.Rand) ([]Rotten, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	sectors, err := dataSectors(n.f)
	if err != nil {
		return nil, err
	}
	var flipped []Rotten
	used := map[int64]bool{}
	for try := 0; len(sectors) > 0 && len(flipped) < bits && try < 16*bits; try++ {
		off := sectors[random.IntN(len(sectors))] * sectorBytes
		off += random.Int64N(min(sectorBytes, n.shadow.size-off))
		if used[off] {
			continue
		}
		used[off] = true
		var b [1]byte
		if _, err := n.f.ReadAt(b[:], off); err != nil {
			return flipped, err
		}
		r := Rotten{Offset: off, Was: b[0], Is: b[0] ^ 1<<random.IntN(8)}
		if _, err := n.f.WriteAt([]byte{r.Is}, off); err != nil {
			return flipped, err
		}
		flipped = append(flipped, r)
	}
	return flipped, nil
}

// dataSectors lists the sectors that are not all zero.
func dataSectors(f *os.File) ([]int64, error) {
	var list []int64
	buf := make([]byte, 256*sectorBytes)
	for off := int64(0); ; off += int64(len(buf)) {
		n, err := f.ReadAt(buf, off)
		for at := 0; at < n; at += sectorBytes {
			part := buf[at:min(at+sectorBytes, n)]
			if !bytes.Equal(part, zeros[:len(part)]) {
				list = append(list, (off+int64(at))/sectorBytes)
			}
		}
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
