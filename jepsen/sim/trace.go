package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"
)

// Trace is what happened in a run, a line for each event:
//
//	12.345 b      leads term 7
//
// the simulated second, who, what. It keeps no line, but a hash over all.
type Trace struct {
	began time.Time
	out   io.Writer // nil: nobody reads it

	mu    sync.Mutex // guards what follows
	hash  hash.Hash
	lines int64
}

func newTrace(out io.Writer) *Trace {
	return &Trace{began: time.Now(), out: out, hash: sha256.New()}
}

// Note adds a line.
func (t *Trace) Note(who, format string, args ...any) {
	line := fmt.Sprintf("%8.3f %-7s %s\n", time.Since(t.began).Seconds(), who, fmt.Sprintf(format, args...))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines++
	io.WriteString(t.hash, line)
	if t.out != nil {
		io.WriteString(t.out, line)
	}
}

// Sum is the number of lines so far and their hash.
func (t *Trace) Sum() (lines int64, hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines, hex.EncodeToString(t.hash.Sum(nil)[:8])
}
