package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Key is a message's value: unique in a run, carried in the body, so that a
// message is known again without trusting any identity the broker gives it.
// The zero Key is no message's.
type Key struct {
	Producer uint32 `json:"p,omitempty"`
	Seq      uint64 `json:"s,omitempty"`
}

// String gives the form that the body begins with.
func (k Key) String() string { return fmt.Sprintf("p%d-%d", k.Producer, k.Seq) }

// keyMax is the longest text that a key has, and more.
const keyMax = 64

// ParseKey reads what String wrote, up to the first space.
func ParseKey(body []byte) (Key, error) {
	text, _, _ := strings.Cut(string(body[:min(len(body), keyMax)]), " ")
	producer, seq, found := strings.Cut(strings.TrimPrefix(text, "p"), "-")
	if !found || !strings.HasPrefix(text, "p") {
		return Key{}, fmt.Errorf("%q is no key", text)
	}
	p, err := strconv.ParseUint(producer, 10, 32)
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", text, err)
	}
	s, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", text, err)
	}
	return Key{Producer: uint32(p), Seq: s}, nil
}

// Body is a message body of at least size bytes that begins with the key.
func (k Key) Body(size int) []byte {
	b := append([]byte(k.String()), ' ')
	for len(b) < size {
		b = append(b, '.')
	}
	return b
}
