package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A mark that is changed back to the durable one while another is being
// written is not durable: neither a cut nor a vote may go ahead.
func TestFlushWaitsForTheMarkBeingWritten(t *testing.T) {
	w, writing, goOn := slowWatermark(t)
	w.raise(10)
	require.NoError(t, w.flush())
	for _, c := range []struct {
		name  string
		there func()
		back  func() error
		want  uint64
	}{
		{"lowered for a cut", func() { w.raise(20) }, func() error { return w.lower(10) }, 10},
		{"raised before a vote", func() { require.NoError(t, w.lower(5)) }, func() error { w.raise(10); return w.flush() }, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			goOn <- false
			there := make(chan struct{})
			go func() { defer close(there); c.there(); _ = w.flush() }()
			<-writing
			back := make(chan error, 1)
			go func() { back <- c.back() }()
			eventually(t, "the mark is changed back", func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.now.end == c.want
			})
			goOn <- true
			require.NoError(t, <-back)
			require.Equal(t, c.want, w.durableMark().end)
			<-there
			m, err := w.slots.read()
			require.NoError(t, err)
			require.Equal(t, c.want, m.end)
		})
	}
}

// A mark that changed while it was written is written again, although nothing
// changes any more.
func TestMarkIsWrittenAgain(t *testing.T) {
	w, writing, goOn := slowWatermark(t)
	w.raise(10)
	require.NoError(t, w.flush())
	goOn <- false
	w.change(func(m *mark) { m.end = 20 })
	<-writing
	w.change(func(m *mark) { m.end = 10 })
	goOn <- true
	eventually(t, "the mark is durable", func() bool { return w.durableMark().end == 10 })
}

// slowWatermark stops in its next write after false came through goOn, says so
// in writing, and goes on after true.
func slowWatermark(t *testing.T) (w *watermark, writing chan struct{}, goOn chan bool) {
	t.Helper()
	s, err := makeSlots(filepath.Join(t.TempDir(), watermarkFile), syncDir)
	require.NoError(t, err)
	p := newPoison(options("", LogStoreWAL).withDefaults())
	w = newWatermark(s, mark{}, newWriteGuard(p, time.Minute))
	t.Cleanup(func() { require.NoError(t, w.close()) })
	writing, goOn = make(chan struct{}), make(chan bool, 1)
	w.store = func(m mark) error {
		select {
		case <-goOn:
			writing <- struct{}{}
			<-goOn
		default:
		}
		return s.write(m)
	}
	return w, writing, goOn
}
