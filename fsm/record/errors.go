package record

import (
	"errors"
	"fmt"
)

// What can be wrong with a record or with a message that is to become one.
// Each comes inside an *Error, which names the part; test with errors.Is.
var (
	ErrTruncated        = errors.New("truncated")
	ErrLength           = errors.New("wrong length")
	ErrVersion          = errors.New("unknown version")
	ErrFlags            = errors.New("unknown flags")
	ErrChecksum         = errors.New("wrong checksum")
	ErrVarint           = errors.New("wrong varint")
	ErrOrder            = errors.New("attributes out of order")
	ErrUnknownAttribute = errors.New("unknown attribute that must be understood")
	ErrValue            = errors.New("wrong value")
	ErrUTF8             = errors.New("not UTF-8")
	ErrTooLarge         = errors.New("too large")
	ErrTooMany          = errors.New("too many")
)

// Error says what was wrong with which part.
type Error struct {
	Err    error  // one of the sentinels above
	Part   string // "head", "attributes", "headers", "message", or an attribute's name
	Offset int    // in the record; 0 for a message that is not one yet
	Detail string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("record: %s: %v", e.Part, e.Err)
	if e.Offset > 0 {
		text += fmt.Sprintf(" at offset %d", e.Offset)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }
