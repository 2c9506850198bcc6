package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The watermark file has two slots, each in a disk page of its own. A write
// goes to the slot that the last one did not use, in place, so that a torn
// write leaves the previous mark and an fdatasync needs no metadata.
//
//	| magic u32 | version u32 | seq u64 | end u64 | term u64 | vote term u64 | CRC32C u32 |
const (
	slotBytes   = 4096
	slotUsed    = 44
	slotMagic   = 0x46_4d_57_4d // "FMWM"
	slotVersion = 1
)

// mark is what was durable when it was written: the log (or a snapshot) up to
// end, the current term, and the term of the last vote.
type mark struct {
	end, term, voteTerm uint64
}

// slots is the open watermark file.
type slots struct {
	f   MarkFile
	seq uint64
}

const firstSeq = 1

// firstSlots is the file before anything was promised.
func firstSlots() []byte {
	b := make([]byte, 2*slotBytes)
	copy(b[firstSeq%2*slotBytes:], encodeSlot(mark{}, firstSeq))
	return b
}

// readSlots reads the newer of the two slots, and closes the file if it
// cannot. It returns ErrForgotten if no slot can be believed.
func readSlots(f MarkFile) (*slots, mark, error) {
	s := &slots{f: f}
	m, err := s.read()
	if err != nil {
		return nil, mark{}, errors.Join(err, f.Close())
	}
	return s, m, nil
}

func (s *slots) read() (mark, error) {
	var newest mark
	found := false
	for i := range int64(2) {
		buf := make([]byte, slotUsed)
		n, err := s.f.ReadAt(buf, i*slotBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return mark{}, err
		}
		m, seq, ok := decodeSlot(buf[:n])
		if ok && (!found || seq > s.seq) {
			newest, s.seq, found = m, seq, true
		}
	}
	if !found {
		return mark{}, fmt.Errorf("%w: neither slot of the watermark can be read", ErrForgotten)
	}
	return newest, nil
}

// write makes m durable. Only one goroutine may write at a time.
func (s *slots) write(m mark) error {
	s.seq++
	if _, err := s.f.WriteAt(encodeSlot(m, s.seq), int64(s.seq%2)*slotBytes); err != nil {
		return err
	}
	return s.f.Sync()
}

func (s *slots) close() error { return s.f.Close() }

func encodeSlot(m mark, seq uint64) []byte {
	buf := make([]byte, slotUsed)
	binary.BigEndian.PutUint32(buf[0:], slotMagic)
	binary.BigEndian.PutUint32(buf[4:], slotVersion)
	binary.BigEndian.PutUint64(buf[8:], seq)
	binary.BigEndian.PutUint64(buf[16:], m.end)
	binary.BigEndian.PutUint64(buf[24:], m.term)
	binary.BigEndian.PutUint64(buf[32:], m.voteTerm)
	binary.BigEndian.PutUint32(buf[40:], crc32.Checksum(buf[:40], castagnoli))
	return buf
}

func decodeSlot(buf []byte) (m mark, seq uint64, ok bool) {
	if len(buf) < slotUsed ||
		binary.BigEndian.Uint32(buf[0:]) != slotMagic ||
		binary.BigEndian.Uint32(buf[4:]) != slotVersion ||
		binary.BigEndian.Uint32(buf[40:]) != crc32.Checksum(buf[:40], castagnoli) {
		return mark{}, 0, false
	}
	m = mark{
		end:      binary.BigEndian.Uint64(buf[16:]),
		term:     binary.BigEndian.Uint64(buf[24:]),
		voteTerm: binary.BigEndian.Uint64(buf[32:]),
	}
	return m, binary.BigEndian.Uint64(buf[8:]), true
}
