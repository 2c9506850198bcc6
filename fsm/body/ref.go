package body

// Ref names a record's bytes and keeps them alive.
type Ref struct {
	data []byte
}

// Len is the number of bytes.
func (r Ref) Len() int { return len(r.data) }

// Load returns the bytes, which must not be changed. They are in memory, so
// it never fails; the error is there for bodies that are read from a disk.
func (r Ref) Load() ([]byte, error) { return r.data, nil }
