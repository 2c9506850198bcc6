//go:build linux

package ferryfs

import (
	"sync/atomic"
	"syscall"
)

// counts is what Counters reads.
type counts struct {
	calls, reads, writes      atomic.Int64
	bytesRead, bytesWritten   atomic.Int64
	syncs, folderSyncs        atomic.Int64
	forced                    atomic.Int64
	unsyncedBytes, openFiles  atomic.Int64
	unsyncedNames             atomic.Int64
	powerLosses, lost, rotten atomic.Int64
}

// Counters is what happened since Mount, and what is now.
type Counters struct {
	Calls        int64 // that passed the gate, of every kind but closing
	Reads        int64 // of those; what the kernel has in memory needs none
	Writes       int64
	BytesRead    int64
	BytesWritten int64
	Syncs        int64 // fsyncs and fdatasyncs of files, answered ok
	FolderSyncs  int64

	Bites map[Fault]int64 // how often each fault bit; those that never did are left out

	PowerLosses int64
	Lost        int64 // sectors, sizes and names that power losses undid
	Rotten      int64 // bits flipped

	// Forced counts what was taken as fsynced because the undo memory was
	// full. A test of power losses is only exact while it is zero.
	Forced int64

	UnsyncedBytes int64 // of undo memory, now
	UnsyncedNames int64 // changes of names, now
	OpenFiles     int64 // now
	Hanging       int64 // fsyncs, now
}

// Counters reads the counts; they may be of slightly different moments.
func (f *FS) Counters() Counters {
	c := Counters{
		Calls: f.calls.Load(), Reads: f.reads.Load(), Writes: f.writes.Load(),
		BytesRead: f.bytesRead.Load(), BytesWritten: f.bytesWritten.Load(),
		Syncs: f.syncs.Load(), FolderSyncs: f.folderSyncs.Load(),
		Bites:       map[Fault]int64{},
		PowerLosses: f.powerLosses.Load(), Lost: f.lost.Load(), Rotten: f.rotten.Load(),
		Forced: f.forced.Load(), UnsyncedBytes: f.unsyncedBytes.Load(), UnsyncedNames: f.unsyncedNames.Load(),
		OpenFiles: f.openFiles.Load(), Hanging: f.hangs.Load(),
	}
	for fault := range faultCount {
		if n := f.bites[fault].Load(); n > 0 {
			c.Bites[fault] = n
		}
	}
	return c
}

// call lets a call through the gate and counts it.
func (f *FS) call() syscall.Errno {
	if e := f.enter(); e != 0 {
		return e
	}
	f.calls.Add(1)
	return 0
}
