//go:build linux

package ferryfs

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// killPoll is how often a hanging call looks whether its caller was killed.
const killPoll = 20 * time.Millisecond

// stall makes an fsync slow or lets it hang. It is called outside the gate.
func (f *FS) stall(ctx context.Context, where func() string) syscall.Errno {
	if f.set.Load()&(1<<SlowSync|1<<HangSync) == 0 {
		return 0
	}
	cuts := f.cuts.Load()
	if a := f.bite(SlowSync, where); a != nil {
		f.wait(ctx, SlowSync, a, cuts, time.Now().Add(a.Delay))
	}
	if a := f.bite(HangSync, where); a != nil {
		f.hangs.Add(1)
		f.wait(ctx, HangSync, a, cuts, time.Time{})
		f.hangs.Add(-1)
	}
	if f.cuts.Load() != cuts {
		return syscall.EIO
	}
	return 0
}

// wait returns at the deadline (none if it is zero), when the fault is no
// longer armed as it was, when the power was cut, or when the caller was
// killed: the kernel does not end a process before its call is answered.
func (f *FS) wait(ctx context.Context, fault Fault, a *armed, cuts int64, deadline time.Time) {
	poll := time.NewTicker(killPoll)
	defer poll.Stop()
	var due <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		due = timer.C
	}
	for {
		wake, holds := f.holds(fault, a)
		if !holds || f.cuts.Load() != cuts || f.Frozen() {
			return
		}
		select {
		case <-due:
			return
		case <-wake:
		case <-poll.C:
			if killed(ctx) {
				return
			}
		}
	}
}

// holds tells whether a fault is still armed in this very way.
func (f *faults) holds(fault Fault, a *armed) (<-chan struct{}, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wake, f.armed[fault] == a
}

// killed tells whether the thread that called has a SIGKILL to obey. The
// kernel's own interrupts do not tell: Go's runtime sends signals all the time.
func killed(ctx context.Context) bool {
	caller, ok := fuse.FromContext(ctx)
	if !ok || caller.Pid == 0 {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", caller.Pid))
	if err != nil {
		return os.IsNotExist(err)
	}
	const kill = 1 << (9 - 1)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "SigPnd" && name != "ShdPnd" {
			continue
		}
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err == nil && mask&kill != 0 {
			return true
		}
	}
	return false
}
