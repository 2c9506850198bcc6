package wire

import (
	"errors"
	"fmt"
)

// The mistakes a Cursor can find. Each arrives inside an *Error, which adds
// the offset; test with errors.Is.
var (
	ErrTruncated = errors.New("input ends inside a value")
	ErrKind      = errors.New("value of another kind")
	ErrRange     = errors.New("integer out of range")
	ErrTooMany   = errors.New("array too long")
	ErrTooLong   = errors.New("string or binary too long")
	ErrTooShort  = errors.New("string or binary too short")
	ErrMissing   = errors.New("array too short")
	ErrTrailing  = errors.New("bytes after the last value")
	ErrDepth     = errors.New("nested too deep")
	ErrCount     = errors.New("negative count")
)

// Error says what was wrong and where.
type Error struct {
	Offset int    // in the input, of the value that was wrong
	Err    error  // one of the sentinels above
	Detail string // what was wanted and found, or ""
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("offset %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("offset %d: %v: %s", e.Offset, e.Err, e.Detail)
}

func (e *Error) Unwrap() error { return e.Err }
