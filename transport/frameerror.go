package transport

import (
	"errors"
	"fmt"
)

// What can be wrong with bytes that arrive. Each comes inside a *FrameError,
// which adds where; test with errors.Is.
var (
	ErrTruncated     = errors.New("truncated")
	ErrFrameTooLarge = errors.New("frame too large")
	ErrChecksum      = errors.New("wrong checksum")
	ErrMalformed     = errors.New("malformed")
	ErrMagic         = errors.New("not the FerryMQ protocol")
	ErrVersion       = errors.New("unknown protocol version")
	ErrProof         = errors.New("cluster key not proven")
)

// What a connection or the port may answer.
var (
	ErrClosed     = errors.New("transport: connection closed")
	ErrOutboxFull = errors.New("transport: outbox full")
	ErrMuxClosed  = errors.New("transport: port closed")
)

// FrameError says what was wrong with received bytes, and where.
type FrameError struct {
	Err    error  // one of the sentinels above
	Offset int64  // in the frame, the payload or, from a Conn, the stream; see Of
	Of     string // what Offset counts from: "frame", "preface", "stream", or the name of a body
	Detail string
	Cause  error // of a body, the *wire.Error
}

func (e *FrameError) Error() string {
	text := fmt.Sprintf("transport: %v at offset %d of the %s", e.Err, e.Offset, e.Of)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap gives the sentinel and, if there is one, the cause.
func (e *FrameError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// Code is the protocol's code for the mistake.
func (e *FrameError) Code() Code {
	switch e.Err {
	case ErrFrameTooLarge:
		return CodeTooLarge
	case ErrVersion:
		return CodeVersion
	case ErrMagic, ErrProof:
		return CodeHandshake
	}
	return CodeMalformed
}

func frameError(err error, offset int, detail string) error {
	return &FrameError{Err: err, Offset: int64(offset), Of: "frame", Detail: detail}
}
