//go:build linux

package ferryfs

import (
	"sync"
	"sync/atomic"
	"syscall"
)

// gate is what every call passes. It is shut while the power is off; and a
// power loss has it for itself. No call waits (for a slow fsync, say) inside.
type gate struct {
	mu   sync.RWMutex
	off  atomic.Bool
	cuts atomic.Int64 // of the power; a call that waited through one fails
	boot atomic.Int64 // power losses; a file opened before one is dead
}

func (g *gate) enter() syscall.Errno {
	if g.off.Load() {
		return syscall.EIO
	}
	g.mu.RLock()
	if g.off.Load() {
		g.mu.RUnlock()
		return syscall.EIO
	}
	return 0
}

func (g *gate) leave() { g.mu.RUnlock() }

// Freeze cuts the power: when it returns, no call is under way, and every call
// fails with EIO until PowerOn. Nothing is lost yet.
func (f *FS) Freeze() {
	f.off.Store(true)
	f.cuts.Add(1)
	f.faults.wakeAll()
	f.gate.mu.Lock()
	defer f.gate.mu.Unlock()
}

// PowerOn lets calls through again. Files opened before a PowerLoss stay dead.
func (f *FS) PowerOn() { f.off.Store(false) }

// Frozen tells whether the power is off.
func (f *FS) Frozen() bool { return f.off.Load() }
