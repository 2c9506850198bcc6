// Package store opens the durable stores of one Raft group in a folder: its
// log, its term and vote, and its snapshots.
//
// It owns every promise that a replica makes with its disk. A stack of small
// wrappers, one file each, stands between hashicorp/raft and the libraries
// that write:
//
//	raft -> watermark -> checksum -> slices (boltdb) -> deadline, poison -> raft-wal or raft-boltdb
//	raft -> vote      ----------------------------> deadline, poison -> raft-boltdb
//	raft -> snapshots -> folderSnapshots (fsyncs)   -----------------> raft.FileSnapshotStore
//
// The libraries and their files lie behind the interface Disk, so that the
// wrappers and the verification of a start also run over a simulated disk.
//
// The files of a group:
//
//	LOCK         held while the store is open
//	watermark    how far the log, the term and the vote were once durable
//	raft.db      term and vote, one record
//	wal/         the log, if it is raft-wal
//	log.db       the log, if it is raft-boltdb
//	snapshots/   raft.FileSnapshotStore, and a checksum of each snapshot's head
//
// What must hold:
//   - A vote is granted only after the watermark and the vote are durable.
//   - A store that failed or hung once is never used again in this process:
//     what the disk holds is then unknown, and only a fresh start reads it.
//   - A replica that lost something it once promised does not start: Open
//     returns ErrForgotten and the replica is rebuilt under a new server id.
//
// The package knows nothing of queues, entries' contents, networks or
// elections. Start reading at Open in folderdisk.go and open in store.go, then verify.go.
package store
