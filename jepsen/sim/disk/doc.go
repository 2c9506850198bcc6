// Package disk is a machine's disk in the simulation. It implements
// store.Disk, so that everything of package cluster/store above the libraries
// is the product's own: checksums, watermark, vote record, deadlines, poison
// and the verification at start.
//
// Simulated is what lies below: the log in place of raft-wal, the store of
// term and vote in place of bbolt, the file of the watermark, and snapshots in
// place of raft.FileSnapshotStore. Each write takes the time of an fsync and
// is then durable. One under way when the machine loses its power is gone,
// whole, or torn: a part is there, and what follows is garbage. When only the
// process dies, what it wrote stays in the page cache. A write or fsync can
// fail with ENOSPC or EIO, after which nobody knows what is there, or take
// long, or hang; stored bytes can rot. Folders, names and partial bbolt pages
// are not simulated: raft-wal, bbolt and the folder fsyncs are tested on real
// files elsewhere.
//
// It knows nothing of Raft beyond its stores, and nothing of time but sleeping.
// Start reading in disk.go; session.go is a process's use of the disk.
package disk
