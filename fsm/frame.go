package fsm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A snapshot is a head and frames, big endian:
//
//	| magic "FERRYFSM" | format u16 = 1 | frame | frame | …
//
//	frame: | tag u8 | length u32 of the payload | CRC32C u32 of tag, length and payload | payload |
//
// The tags ascend; the last frame is the one with tagEnd. A payload is a row
// of items, each an unbroken row of msgpack values (snapshot_write.go).
const (
	snapshotMagic  = "FERRYFSM"
	snapshotFormat = 1
	frameHead      = 9
	frameFull      = 64 << 10 // a frame is closed behind the item that reaches this
	framePayload   = 4 << 20  // the most a payload may claim
)

const (
	tagHead byte = iota + 1
	tagTopic
	tagQueue
	tagSession
	tagConsumer
	tagSeen
	tagRequest
	tagTenant
	tagLine
	tagJunk
	tagWaiting
	tagMessage
	tagBody
	tagEnd
)

// ErrSnapshot is a snapshot that cannot be read, wrapped with what was wrong.
var ErrSnapshot = errors.New("bad snapshot")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type frameWriter struct {
	w   io.Writer
	b   []byte // the frame at hand: room for its head, then the payload
	tag byte
	n   int64
	err error
}

func newFrameWriter(w io.Writer) *frameWriter {
	f := &frameWriter{w: w, b: make([]byte, frameHead, 2*frameFull)}
	f.put(binary.BigEndian.AppendUint16([]byte(snapshotMagic), snapshotFormat))
	return f
}

func (f *frameWriter) put(b []byte) {
	if f.err != nil {
		return
	}
	n, err := f.w.Write(b)
	f.n += int64(n)
	f.err = err
}

// item makes room for an item of a tag. It returns false after an error, when
// there is no sense in going on.
func (f *frameWriter) item(tag byte) bool {
	if f.tag != tag || len(f.b) >= frameFull {
		f.flush()
		f.tag = tag
	}
	return f.err == nil
}

func (f *frameWriter) flush() {
	if len(f.b) == frameHead {
		return
	}
	f.b[0] = f.tag
	binary.BigEndian.PutUint32(f.b[1:], uint32(len(f.b)-frameHead))
	binary.BigEndian.PutUint32(f.b[5:], frameSum(f.b))
	f.put(f.b)
	f.b = f.b[:frameHead]
}

func frameSum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:5], castagnoli), castagnoli, frame[frameHead:])
}

type frameReader struct {
	r     io.Reader
	b     []byte
	tag   byte
	frame int
}

func newFrameReader(r io.Reader) (*frameReader, error) {
	var head [len(snapshotMagic) + 2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%w: head: %w", ErrSnapshot, err)
	}
	if string(head[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("%w: not a snapshot of a state machine", ErrSnapshot)
	}
	if v := binary.BigEndian.Uint16(head[len(snapshotMagic):]); v != snapshotFormat {
		return nil, fmt.Errorf("%w: format %d, known %d", ErrSnapshot, v, snapshotFormat)
	}
	return &frameReader{r: r}, nil
}

// next returns the next frame's payload, good until the next call.
func (f *frameReader) next() (tag byte, payload []byte, err error) {
	f.frame++
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: frame %d: %w", ErrSnapshot, f.frame, err)
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > framePayload || head[0] < f.tag || head[0] > tagEnd {
		return 0, nil, fmt.Errorf("%w: frame %d: tag %d, length %d", ErrSnapshot, f.frame, head[0], n)
	}
	f.tag = head[0]
	f.b = append(f.b[:0], head[:]...)
	for len(f.b) < frameHead+n { // in steps: the claim may be a lie
		from := len(f.b)
		step := min(frameHead+n-from, frameFull)
		f.b = append(f.b, make([]byte, step)...)
		if _, err := io.ReadFull(f.r, f.b[from:]); err != nil {
			return 0, nil, fmt.Errorf("%w: frame %d: %w", ErrSnapshot, f.frame, err)
		}
	}
	if frameSum(f.b) != binary.BigEndian.Uint32(head[5:]) {
		return 0, nil, fmt.Errorf("%w: frame %d: wrong checksum", ErrSnapshot, f.frame)
	}
	return f.tag, f.b[frameHead:], nil
}
