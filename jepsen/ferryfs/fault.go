//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is something that a disk does to its user.
type Fault int

const (
	FailSync       Fault = iota // fsync of a file or folder: EIO; see the package's rules for what that loses
	FailWrite                   // write, truncate and fallocate: EIO, and nothing is changed
	FailRead                    // read: EIO. A process that mapped the file gets SIGBUS
	NoSpace                     // ENOSPC for growth beyond Arming.Bytes
	SlowSync                    // fsync takes Arming.Delay longer
	HangSync                    // fsync does not return until the fault is disarmed
	DropSync                    // fsync of a file says ok and does nothing
	DropFolderSync              // fsync of a folder says ok and does nothing

	faultCount
)

var faultNames = [faultCount]string{
	"fsync EIO", "write EIO", "read EIO", "no space", "slow fsync", "hanging fsync",
	"dropped fsync", "dropped folder fsync",
}

func (f Fault) String() string {
	if f >= 0 && f < faultCount {
		return faultNames[f]
	}
	return fmt.Sprintf("fault(%d)", int(f))
}

// Arming says how a fault bites.
type Arming struct {
	// Times is how often the fault bites before it is over; 0 is no end.
	// NoSpace ignores it.
	Times int64

	// Path limits the fault to some files: a pattern as in path.Match, of the
	// path below the mount if it has a slash, of the last name otherwise. The
	// path of the mount itself is ".". Empty: all. NoSpace ignores it.
	Path string

	Delay time.Duration // of SlowSync

	// Bytes is how much may still grow, of NoSpace. What is truncated or
	// removed adds to it again. Statfs tells no more than what is left.
	Bytes int64
}

// armed is a fault at work.
type armed struct {
	Arming
	left int64 // of Times, or of Bytes
}

// faults knows what is armed. It is guarded by mu, but for the bit set, which
// spares calls the lock while nothing is armed.
type faults struct {
	set   atomic.Uint32
	bites [faultCount]atomic.Int64
	hangs atomic.Int64 // fsyncs that hang now

	mu     sync.Mutex
	armed  [faultCount]*armed
	wake   chan struct{} // closed and replaced when something changed
	closed bool
}

func (f *faults) init() { f.wake = make(chan struct{}) }

// Arm makes a fault bite from now on. A fault already armed is replaced.
// FailRead also drops what the kernel has in memory, since only a read that
// reaches the disk can fail.
func (f *FS) Arm(fault Fault, a Arming) error {
	if fault < 0 || fault >= faultCount {
		return fmt.Errorf("arm %s: no such fault", fault)
	}
	if _, err := path.Match(a.Path, ""); err != nil {
		return fmt.Errorf("arm %s: %q: %w", fault, a.Path, err)
	}
	if a.Times < 0 || a.Delay < 0 || a.Bytes < 0 {
		return fmt.Errorf("arm %s: a negative number", fault)
	}
	if fault == SlowSync && a.Delay == 0 {
		return errors.New("arm slow fsync: without a delay it is not slow")
	}
	left := a.Times
	if fault == NoSpace {
		left = a.Bytes
	}
	f.faults.put(fault, &armed{Arming: a, left: left})
	if fault == FailRead {
		dropPages(f.root.EmbeddedInode())
	}
	return nil
}

// Disarm ends a fault, and releases the fsyncs that wait because of it.
func (f *FS) Disarm(fault Fault) {
	if fault >= 0 && fault < faultCount {
		f.faults.put(fault, nil)
	}
}

// Calm disarms every fault.
func (f *FS) Calm() {
	for fault := range faultCount {
		f.Disarm(fault)
	}
}

func (f *faults) put(fault Fault, a *armed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.armed[fault] = a
	if a == nil {
		f.set.And(^(uint32(1) << fault))
	} else {
		f.set.Or(uint32(1) << fault)
	}
	f.wakeLocked()
}

func (f *faults) wakeLocked() {
	close(f.wake)
	f.wake = make(chan struct{})
}

func (f *faults) wakeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakeLocked()
}

// close disarms everything for good.
func (f *faults) close() {
	for fault := range faultCount {
		f.put(fault, nil)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

// bite tells whether a fault hits a call on the file at where, and counts it.
func (f *faults) bite(fault Fault, where func() string) *armed {
	if f.set.Load()&(1<<fault) == 0 {
		return nil
	}
	name := where()
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.armed[fault]
	if a == nil || !a.matches(name) {
		return nil
	}
	if a.Times > 0 {
		if a.left == 0 {
			return nil
		}
		a.left--
	}
	f.bites[fault].Add(1)
	return a
}

func (a Arming) matches(name string) bool {
	if a.Path == "" {
		return true
	}
	whole, _ := path.Match(a.Path, name)
	last, _ := path.Match(a.Path, path.Base(name))
	return whole || last
}
