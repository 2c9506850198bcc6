// Package ferryfs is a folder in which a disk's faults happen on demand. It
// mounts a folder (the backing) under another path by FUSE, served by the
// calling process, and passes every call on until it is told otherwise.
//
// It owns four things: a memory of what was not fsynced, so that a power loss
// takes exactly that; the faults (errors, a full disk, slow, hanging or lying
// fsyncs) with a count of how often each of them bit; bit rot; and the mount,
// which is gone after Close, whoever has files open. It knows nothing of the
// programs that use the folder.
//
// # What is durable
//
// The rules are POSIX's, which promise less than a usual file system keeps:
//
//   - Bytes and the size of a file are durable once the file was fsynced or
//     fdatasynced, or was opened with O_SYNC or O_DSYNC.
//   - Names (created, renamed, removed) are durable once their folder was
//     fsynced. An fsync of a file does not make its name durable.
//   - After an fsync that failed, what had been written before is not durable,
//     and no later fsync makes it so: it must be written again. This is what
//     Linux does.
//
// The page cache of the host plays the disk, so an fsync is cheap here, and
// everything the host holds counts as durable unless the undo memory says
// otherwise. Not undone are permissions, owners and times. Of a sector written
// twice since the last fsync, the value in between never survives. What is
// written during an fsync counts as covered by it.
//
// # Limits
//
// No symbolic links, devices, extended attributes, exchanging renames, or
// fallocate that moves data; sync and syncfs make nothing durable. Locks are the kernel's own, as for any local file
// system. Mount needs root and /dev/fuse, and no other program.
//
// The process that serves a mount must not map a file of it into its own
// memory, nor have one open while it starts another process: its runtime would
// wait, with everything stopped, for an answer that it has to give itself.
//
// Start reading in mount.go; shadow.go and journal.go are what a power loss
// undoes, loss.go undoes it.
package ferryfs
