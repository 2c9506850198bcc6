package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"
)

// A checksum is the last 8 bytes of an entry's Extensions:
//
//	| what others put there | magic u32 | CRC32C u32 |
//
// It covers index, term, type, data and what others put there. It is put into
// the entry itself, not into a copy, so that it travels to the followers: they
// check it before they store the entry, and so does every later reader.
const (
	checksumBytes = 8
	checksumMagic = 0x46_43_52_31 // "FCR1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksumLog stamps each entry that is stored and checks each that is read.
type checksumLog struct {
	next   raft.LogStore
	poison *poison
}

func (c *checksumLog) FirstIndex() (uint64, error) { return c.next.FirstIndex() }
func (c *checksumLog) LastIndex() (uint64, error)  { return c.next.LastIndex() }
func (c *checksumLog) IsMonotonic() bool           { return isMonotonic(c.next) }

func (c *checksumLog) DeleteRange(min, max uint64) error { return c.next.DeleteRange(min, max) }
func (c *checksumLog) StoreLog(log *raft.Log) error      { return c.StoreLogs([]*raft.Log{log}) }

// StoreLogs refuses an entry that was damaged on its way here. That is no
// fault of this disk, so it does not poison the store; the leader sends again.
func (c *checksumLog) StoreLogs(logs []*raft.Log) error {
	for _, log := range logs {
		if !stamped(log) {
			stamp(log)
			continue
		}
		if err := check(log.Index, log); err != nil {
			return fmt.Errorf("before it was stored: %w", err)
		}
	}
	return c.next.StoreLogs(logs)
}

// GetLog never hands out an entry that is not what was stored under index. A
// bad one poisons the store: raft has no way to go on without it, and at the
// next start Open decides between torn and rotten.
func (c *checksumLog) GetLog(index uint64, log *raft.Log) error {
	var read raft.Log
	err := c.next.GetLog(index, &read)
	if err != nil && !undecodable(err) {
		return err
	}
	if err != nil {
		err = &CorruptError{Index: index, Detail: err.Error()}
	} else {
		err = check(index, &read)
	}
	if err != nil {
		if c.poison.armed.Load() {
			c.poison.fatal(err)
		}
		return err
	}
	*log = read
	return nil
}

// undecodable reports whether err speaks about bytes rather than about the
// system or the state of the store.
func undecodable(err error) bool {
	for _, known := range []error{raft.ErrLogNotFound, ErrHung, ErrPoisoned, ErrClosed} {
		if errors.Is(err, known) {
			return false
		}
	}
	return !isIO(err)
}

func stamped(log *raft.Log) bool {
	n := len(log.Extensions)
	return n >= checksumBytes && binary.BigEndian.Uint32(log.Extensions[n-checksumBytes:]) == checksumMagic
}

// stamp never writes into the memory of the old Extensions: its spare
// capacity may belong to somebody else.
func stamp(log *raft.Log) {
	n := len(log.Extensions)
	ext := make([]byte, n+checksumBytes)
	copy(ext, log.Extensions)
	binary.BigEndian.PutUint32(ext[n:], checksumMagic)
	binary.BigEndian.PutUint32(ext[n+4:], sum(log, ext[:n]))
	log.Extensions = ext
}

func check(index uint64, log *raft.Log) error {
	if log.Index != index {
		return &CorruptError{Index: index, Detail: fmt.Sprintf("it says it is entry %d", log.Index)}
	}
	if !stamped(log) {
		return &CorruptError{Index: index, Detail: "it has no checksum"}
	}
	n := len(log.Extensions) - checksumBytes
	want := binary.BigEndian.Uint32(log.Extensions[n+4:])
	if got := sum(log, log.Extensions[:n]); got != want {
		return &CorruptError{Index: index, Detail: fmt.Sprintf("checksum %08x, stored as %08x", got, want)}
	}
	return nil
}

func sum(log *raft.Log, others []byte) uint32 {
	var head [25]byte
	binary.BigEndian.PutUint64(head[0:], log.Index)
	binary.BigEndian.PutUint64(head[8:], log.Term)
	head[16] = byte(log.Type)
	binary.BigEndian.PutUint64(head[17:], uint64(len(log.Data)))
	crc := crc32.Update(0, castagnoli, head[:])
	crc = crc32.Update(crc, castagnoli, log.Data)
	return crc32.Update(crc, castagnoli, others)
}
