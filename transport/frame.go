package transport

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// A frame, big endian:
//
//	 0        4     6       8        12       16
//	+--------+-----+-------+--------+--------+----------------+
//	| length | op  | flags | stream | CRC32C | payload        |
//	+--------+-----+-------+--------+--------+----------------+
//
// length counts the payload. The checksum covers the 12 bytes before it and
// the payload. No flag is defined yet; unknown ones are ignored.

// HeaderSize is the size of a frame's header.
const HeaderSize = 16

// readStep is how much memory a length claim alone gets; more is allocated
// only as bytes arrive, so silent connections cannot hold a frame's worth each.
const readStep = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one message of the protocol.
type Frame struct {
	Op      Op
	Flags   uint16
	Stream  uint32
	Payload []byte
}

// Size of the frame in bytes, header included.
func (f Frame) Size() int { return HeaderSize + len(f.Payload) }

// AppendFrame appends the frame to dst.
func AppendFrame(dst []byte, f Frame) []byte {
	dst, start := BeginFrame(dst)
	return EndFrame(append(dst, f.Payload...), start, f.Op, f.Flags, f.Stream)
}

// BeginFrame leaves room for a header. The caller appends the payload to dst
// and calls EndFrame with start.
func BeginFrame(dst []byte) (out []byte, start int) {
	var header [HeaderSize]byte
	return append(dst, header[:]...), len(dst)
}

// EndFrame fills in the header of the frame that began at start and ends with dst.
func EndFrame(dst []byte, start int, op Op, flags uint16, stream uint32) []byte {
	h := dst[start : start+HeaderSize]
	payload := dst[start+HeaderSize:]
	binary.BigEndian.PutUint32(h, uint32(len(payload)))
	binary.BigEndian.PutUint16(h[4:], uint16(op))
	binary.BigEndian.PutUint16(h[6:], flags)
	binary.BigEndian.PutUint32(h[8:], stream)
	binary.BigEndian.PutUint32(h[12:], checksum(h, payload))
	return dst
}

func checksum(header, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, header[:12])
	return crc32.Update(sum, castagnoli, payload)
}

// ReadFrame reads one frame whose payload has at most limit bytes. The payload
// uses buf's memory if that is large enough, and new memory if not. The error
// is io.EOF at the end of the stream between two frames, a *FrameError for
// bytes that are wrong, and otherwise what r returned.
func ReadFrame(r io.Reader, buf []byte, limit uint32) (Frame, error) {
	if cap(buf) < HeaderSize {
		return readFrame(r, make([]byte, HeaderSize), buf, limit)
	}
	return readFrame(r, buf[:HeaderSize], buf, limit)
}

// readFrame is ReadFrame with room for the header, which may be in buf.
func readFrame(r io.Reader, h, buf []byte, limit uint32) (Frame, error) {
	if _, err := io.ReadFull(r, h); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = frameError(ErrTruncated, 0, "stream ends inside a header")
		}
		return Frame{}, err
	}
	f, length, want, err := parseHeader(h, limit)
	if err != nil {
		return Frame{}, err
	}
	sum := crc32.Update(0, castagnoli, h[:12])
	if f.Payload, err = readPayload(r, buf, length); err != nil {
		return Frame{}, err
	}
	if crc32.Update(sum, castagnoli, f.Payload) != want {
		return Frame{}, frameError(ErrChecksum, 12, "of a frame with "+f.Op.String())
	}
	return f, nil
}

// DecodeFrame takes one frame from the front of b and returns its size. Its
// payload aliases b.
func DecodeFrame(b []byte, limit uint32) (f Frame, size int, err error) {
	if len(b) < HeaderSize {
		return Frame{}, 0, frameError(ErrTruncated, len(b), "inside a header")
	}
	f, length, want, err := parseHeader(b, limit)
	if err != nil {
		return Frame{}, 0, err
	}
	size = HeaderSize + length
	if len(b) < size {
		return Frame{}, 0, frameError(ErrTruncated, len(b), "inside a payload")
	}
	f.Payload = b[HeaderSize:size:size]
	if checksum(b, f.Payload) != want {
		return Frame{}, 0, frameError(ErrChecksum, 12, "of a frame with "+f.Op.String())
	}
	return f, size, nil
}

func parseHeader(h []byte, limit uint32) (f Frame, length int, sum uint32, err error) {
	n := binary.BigEndian.Uint32(h)
	if n > limit {
		return f, 0, 0, frameError(ErrFrameTooLarge, 0, fmt.Sprintf("%d bytes claimed, at most %d are taken", n, limit))
	}
	f.Op = Op(binary.BigEndian.Uint16(h[4:]))
	f.Flags = binary.BigEndian.Uint16(h[6:])
	f.Stream = binary.BigEndian.Uint32(h[8:])
	return f, int(n), binary.BigEndian.Uint32(h[12:]), nil
}

// readPayload reads n bytes, into buf if they fit there.
func readPayload(r io.Reader, buf []byte, n int) ([]byte, error) {
	if n <= cap(buf) || n <= readStep {
		if n > cap(buf) {
			buf = make([]byte, n)
		}
		return buf[:n], readInto(r, buf[:n], 0)
	}
	have := 0
	for have < n {
		step := min(n, max(readStep, 2*have))
		if step > cap(buf) {
			buf = append(make([]byte, 0, step), buf[:have]...)
		}
		step = min(n, cap(buf))
		if err := readInto(r, buf[have:step], have); err != nil {
			return nil, err
		}
		have = step
	}
	return buf[:n], nil
}

func readInto(r io.Reader, b []byte, before int) error {
	n, err := io.ReadFull(r, b)
	if err == io.EOF && len(b) > 0 || err == io.ErrUnexpectedEOF {
		return frameError(ErrTruncated, HeaderSize+before+n, "stream ends inside a payload")
	}
	return err
}
