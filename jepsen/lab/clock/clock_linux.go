package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var (
	// ErrArchitecture says that the routine is not written for this processor.
	ErrArchitecture = errors.New("a skewed clock needs amd64, not " + runtime.GOARCH)
	// ErrRange says that an offset is larger than OffsetMax, either way.
	ErrRange = errors.New("offset of the clock out of range")
)

// OffsetMax keeps every skewed time in the range of nanoseconds in 64 bits.
const OffsetMax = 50 * 365 * 24 * time.Hour

// Clock is the wall clock of one node. It outlives the node's processes, one at
// a time: a process that starts has the offset that the last one ended with.
// The zero Clock is true. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex // held while a few bytes are copied into the process
	offset time.Duration
	memory *os.File // of the process, nil when there is none
	slots  int64    // the address of the first slot in it
	chosen int64    // the address of the byte that chooses
	slot   byte     // what that byte is
}

// supported tells whether there is a routine for this processor.
func supported() bool { return len(routine.bytes) > 0 }

// Prepare makes a command stop at its exec, where Install finds it.
func (c *Clock) Prepare(a *syscall.SysProcAttr) { a.Ptrace = supported() }

// Install gives the clock to a process that was just started with what Prepare
// set, and lets it run. The caller has to be on the very thread that started
// it. After an error the process is still stopped: kill it. On a processor
// without a routine the clock stays true, and Set says so.
func (c *Clock) Install(pid int) error {
	if !supported() {
		return nil
	}
	if err := awaitExec(pid); err != nil {
		return fmt.Errorf("wait for the exec of process %d: %w", pid, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.install(pid); err != nil {
		return fmt.Errorf("set the clock of process %d: %w", pid, err)
	}
	return unix.PtraceDetach(pid)
}

func awaitExec(pid int) error {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case !status.Stopped() || status.StopSignal() != unix.SIGTRAP:
			return fmt.Errorf("it did not stop there: status %#x", uint32(status))
		default:
			return nil
		}
	}
}

// install patches a stopped process. The file of its memory stays open: it is
// of this process for ever, also when another one gets the number.
func (c *Clock) install(pid int) (err error) {
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, memory.Close())
		}
	}()
	image, base, err := readVDSO(pid, memory)
	if err != nil {
		return err
	}
	p, err := plan(image, base, routine)
	if err != nil {
		return err
	}
	if err := write(memory, p.code, int64(p.at)); err != nil {
		return err
	}
	for at, code := range p.jumps {
		if err := write(memory, code, int64(at)); err != nil {
			return err
		}
	}
	if err := c.release(); err != nil {
		return err
	}
	c.memory, c.slot = memory, 0
	c.slots, c.chosen = int64(p.at+routine.slots), int64(p.at+routine.chosen)
	return c.tell()
}

// Set makes the process's wall clock the true one plus an offset, at once. When
// no process runs, the next one gets it.
func (c *Clock) Set(offset time.Duration) error {
	if offset > OffsetMax || offset < -OffsetMax {
		return fmt.Errorf("%w: %v", ErrRange, offset)
	}
	if offset != 0 && !supported() {
		return ErrArchitecture
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = offset
	if c.memory == nil {
		return nil
	}
	err := c.tell()
	if errors.Is(err, os.ErrProcessDone) {
		return c.release()
	}
	return err
}

// Offset is what was set last.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// Close lets the process go, which keeps its offset.
func (c *Clock) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.release()
}

func (c *Clock) release() error {
	if c.memory == nil {
		return nil
	}
	err := c.memory.Close()
	c.memory = nil
	return err
}

// tell writes the offset into the slot that is not in use, then chooses it.
func (c *Clock) tell() error {
	slot := 1 - c.slot
	offset := binary.LittleEndian.AppendUint64(nil, uint64(c.offset))
	if err := write(c.memory, offset, c.slots+8*int64(slot)); err != nil {
		return err
	}
	if err := write(c.memory, []byte{slot}, c.chosen); err != nil {
		return err
	}
	c.slot = slot
	return nil
}

// write writes into a process. The kernel gives it a copy of its own of the
// page, since the vDSO is mapped privately.
func write(memory *os.File, b []byte, at int64) error {
	// Not memory.WriteAt, which tries for ever when the process is gone.
	n, err := unix.Pwrite(int(memory.Fd()), b, at)
	switch {
	case errors.Is(err, unix.EIO):
		return fmt.Errorf("the kernel refuses to change its code (see its parameter proc_mem.force_override): %w", err)
	case err != nil:
		return err
	case n == 0:
		return os.ErrProcessDone
	case n < len(b):
		return io.ErrShortWrite
	}
	return nil
}
