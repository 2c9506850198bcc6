package wire

import "encoding/binary"

// The type bytes of msgpack that are used here.
const (
	mapFix    = 0x80 // to 0x8f
	arrayFix  = 0x90 // to 0x9f
	strFix    = 0xa0 // to 0xbf
	nilByte   = 0xc0
	never     = 0xc1
	falseByte = 0xc2
	trueByte  = 0xc3
	bin8      = 0xc4
	bin16     = 0xc5
	bin32     = 0xc6
	ext8      = 0xc7
	ext16     = 0xc8
	ext32     = 0xc9
	float32b  = 0xca
	float64b  = 0xcb
	uint8b    = 0xcc
	uint16b   = 0xcd
	uint32b   = 0xce
	uint64b   = 0xcf
	int8b     = 0xd0
	int16b    = 0xd1
	int32b    = 0xd2
	int64b    = 0xd3
	fixext1   = 0xd4
	fixext2   = 0xd5
	fixext4   = 0xd6
	fixext8   = 0xd7
	fixext16  = 0xd8
	str8      = 0xd9
	str16     = 0xda
	str32     = 0xdb
	array16   = 0xdc
	array32   = 0xdd
	map16     = 0xde
	map32     = 0xdf
	negFix    = 0xe0 // to 0xff
)

var be = binary.BigEndian

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, nilByte) }

// AppendBool appends a boolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, trueByte)
	}
	return append(b, falseByte)
}

// AppendUint appends an unsigned integer in its shortest form.
func AppendUint(b []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(b, byte(v))
	case v < 1<<8:
		return append(b, uint8b, byte(v))
	case v < 1<<16:
		return be.AppendUint16(append(b, uint16b), uint16(v))
	case v < 1<<32:
		return be.AppendUint32(append(b, uint32b), uint32(v))
	default:
		return be.AppendUint64(append(b, uint64b), v)
	}
}

// AppendInt appends a signed integer in its shortest form; one that is not
// negative has the form of an unsigned one.
func AppendInt(b []byte, v int64) []byte {
	switch {
	case v >= 0:
		return AppendUint(b, uint64(v))
	case v >= -32:
		return append(b, byte(v))
	case v >= -1<<7:
		return append(b, int8b, byte(v))
	case v >= -1<<15:
		return be.AppendUint16(append(b, int16b), uint16(v))
	case v >= -1<<31:
		return be.AppendUint32(append(b, int32b), uint32(v))
	default:
		return be.AppendUint64(append(b, int64b), uint64(v))
	}
}

// AppendBytes appends a binary.
func AppendBytes(b, v []byte) []byte {
	return append(AppendBytesLen(b, len(v)), v...)
}

// AppendBytesLen appends the head of a binary of n bytes; the caller appends
// the bytes. n must be below 4 GiB.
func AppendBytesLen(b []byte, n int) []byte {
	switch {
	case n < 1<<8:
		return append(b, bin8, byte(n))
	case n < 1<<16:
		return be.AppendUint16(append(b, bin16), uint16(n))
	default:
		return be.AppendUint32(append(b, bin32), uint32(n))
	}
}

// BytesLenSize is the size of the head that AppendBytesLen appends.
func BytesLenSize(n int) int {
	switch {
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	default:
		return 5
	}
}

// AppendString appends a string.
func AppendString(b []byte, v string) []byte {
	n := len(v)
	switch {
	case n < 32:
		b = append(b, strFix|byte(n))
	case n < 1<<8:
		b = append(b, str8, byte(n))
	case n < 1<<16:
		b = be.AppendUint16(append(b, str16), uint16(n))
	default:
		b = be.AppendUint32(append(b, str32), uint32(n))
	}
	return append(b, v...)
}

// AppendArrayLen appends the head of an array of n values; the caller appends
// the values.
func AppendArrayLen(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, arrayFix|byte(n))
	case n < 1<<16:
		return be.AppendUint16(append(b, array16), uint16(n))
	default:
		return be.AppendUint32(append(b, array32), uint32(n))
	}
}
