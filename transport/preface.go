package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The first bytes of every connection, big endian:
//
//	 0         6         7      8            24      28       32
//	+---------+---------+------+------------+-------+--------+
//	| "FERRY" | version | kind | cluster id | group | CRC32C |
//	| and 0   |         |      |            |       |        |
//	+---------+---------+------+------------+-------+--------+
//
// The checksum covers the 28 bytes before it.

// PrefaceSize is the size of a preface.
const PrefaceSize = 32

const magic = "FERRY\x00"

// Kind of a connection.
type Kind uint8

const (
	KindClient Kind = 1
	KindPeer   Kind = 2
	KindRaft   Kind = 3
)

func (k Kind) String() string {
	switch k {
	case KindClient:
		return "client"
	case KindPeer:
		return "peer"
	case KindRaft:
		return "raft"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Preface says what a connection is for.
type Preface struct {
	Kind      Kind
	ClusterID [16]byte // zero: not known
	Group     uint32   // of a Raft link, else 0
}

// AppendPreface appends the preface's bytes.
func AppendPreface(dst []byte, p Preface) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, Version, byte(p.Kind))
	dst = append(dst, p.ClusterID[:]...)
	dst = binary.BigEndian.AppendUint32(dst, p.Group)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// DecodePreface reads a preface from exactly PrefaceSize bytes.
func DecodePreface(b []byte) (Preface, error) {
	switch {
	case len(b) < PrefaceSize:
		return Preface{}, prefaceError(ErrTruncated, len(b), "")
	case len(b) > PrefaceSize:
		return Preface{}, prefaceError(ErrMalformed, PrefaceSize, "trailing bytes")
	case string(b[:6]) != magic:
		return Preface{}, prefaceError(ErrMagic, 0, "")
	case b[6] != Version:
		return Preface{}, prefaceError(ErrVersion, 6, fmt.Sprintf("%d, this node speaks %d", b[6], Version))
	case binary.BigEndian.Uint32(b[28:]) != crc32.Checksum(b[:28], castagnoli):
		return Preface{}, prefaceError(ErrChecksum, 28, "")
	}
	p := Preface{Kind: Kind(b[7]), Group: binary.BigEndian.Uint32(b[24:])}
	copy(p.ClusterID[:], b[8:])
	if p.Kind < KindClient || p.Kind > KindRaft {
		return Preface{}, prefaceError(ErrMalformed, 7, "unknown kind of connection")
	}
	return p, nil
}

// WritePreface writes the preface.
func WritePreface(w io.Writer, p Preface) error {
	_, err := w.Write(AppendPreface(make([]byte, 0, PrefaceSize), p))
	return err
}

// ReadPreface reads exactly a preface; what follows stays unread. A stranger
// is known after six bytes, and not waited for any longer.
func ReadPreface(r io.Reader) (Preface, error) {
	var b [PrefaceSize]byte
	if err := readPart(r, b[:], 0, len(magic)+1); err != nil {
		return Preface{}, err
	}
	switch {
	case string(b[:6]) != magic:
		return Preface{}, prefaceError(ErrMagic, 0, "")
	case b[6] != Version:
		return DecodePreface(b[:])
	}
	if err := readPart(r, b[:], len(magic)+1, PrefaceSize); err != nil {
		return Preface{}, err
	}
	return DecodePreface(b[:])
}

func readPart(r io.Reader, b []byte, from, to int) error {
	n, err := io.ReadFull(r, b[from:to])
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return prefaceError(ErrTruncated, from+n, "stream ends")
	}
	return err
}

func prefaceError(err error, offset int, detail string) error {
	return &FrameError{Err: err, Offset: int64(offset), Of: "preface", Detail: detail}
}
