package clock

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// machineCode is a routine with its places, in bytes from its beginning.
type machineCode struct {
	bytes   []byte
	entries map[string]uint64 // of the vDSO's functions that it replaces
	slots   uint64            // two offsets of eight bytes
	chosen  uint64            // a byte: which slot holds
}

// patch is what is written into a process, by address.
type patch struct {
	at   uint64 // of the routine
	code []byte
	// jumps lead from the old functions to the new ones.
	jumps map[uint64][]byte
}

// alignment of the routine, so that no slot lies across two cache lines.
const alignment = 16

// plan finds room for the routine in a vDSO that is mapped at base.
func plan(image []byte, base uint64, m machineCode) (patch, error) {
	old, err := functions(image, base, m)
	if err != nil {
		return patch{}, err
	}
	var home extent
	for _, f := range old {
		if f.size > home.size {
			home = f
		}
	}
	// Behind the jump with which the function that gives the room begins.
	at := (home.at + jumpBytes + alignment - 1) / alignment * alignment
	if at+uint64(len(m.bytes)) > home.at+home.size {
		return patch{}, fmt.Errorf("the vDSO's functions have room for %d bytes, and %d are needed", home.size, len(m.bytes))
	}
	p := patch{at: at, code: m.bytes, jumps: map[uint64][]byte{}}
	for name, f := range old {
		if f.size < jumpBytes {
			return patch{}, fmt.Errorf("%s has %d bytes, too few for a jump", name, f.size)
		}
		p.jumps[f.at] = jump(f.at, at+m.entries[name])
	}
	return p, nil
}

type extent struct{ at, size uint64 }

// functions finds the functions that the routine replaces. All must be there:
// one that is not replaced would tell the true time.
func functions(image []byte, base uint64, m machineCode) (map[string]extent, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	linked := uint64(0) // the address for which it was linked
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			linked = p.Vaddr
			break
		}
	}
	found := map[string]extent{}
	for _, s := range symbols {
		if _, wanted := m.entries[s.Name]; wanted {
			found[s.Name] = extent{base + s.Value - linked, s.Size}
		}
	}
	for name := range m.entries {
		if _, ok := found[name]; !ok {
			return nil, fmt.Errorf("the vDSO has no %s", name)
		}
	}
	return found, nil
}

// errNoVDSO says that the kernel maps none, because it was told not to.
var errNoVDSO = errors.New("the process has no vDSO")

// imageBytesMax bounds what is read of a vDSO.
const imageBytesMax = 1 << 20

// readVDSO reads the vDSO of a process, and tells where it is.
func readVDSO(pid int, memory io.ReaderAt) (image []byte, base uint64, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, maps.Close()) }()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		if !strings.HasSuffix(lines.Text(), "[vdso]") {
			continue
		}
		var end uint64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &base, &end); err != nil {
			return nil, 0, fmt.Errorf("where the vDSO is, %q: %w", lines.Text(), err)
		}
		if end-base > imageBytesMax {
			return nil, 0, fmt.Errorf("a vDSO of %d bytes", end-base)
		}
		image = make([]byte, end-base)
		_, err := memory.ReadAt(image, int64(base))
		return image, base, err
	}
	return nil, 0, errors.Join(errNoVDSO, lines.Err())
}
