package cluster

import (
	"testing"
	"testing/synctest"
	"time"
)

// slowWriter takes a millisecond for each call.
type slowWriter struct{}

func (slowWriter) Write(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return len(b), nil
}

func TestPacedWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hurry := make(chan struct{})
		p := &pacedWriter{w: slowWriter{}, hurry: hurry}
		write := func() time.Duration {
			began := time.Now()
			for range 4 {
				if _, err := p.Write(make([]byte, paceBytes/4)); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		for range 2 {
			if got := write(); got != (1+paceShare)*4*time.Millisecond {
				t.Errorf("4 ms of writing took %v with its pause", got)
			}
		}
		close(hurry)
		if got := write(); got != 4*time.Millisecond {
			t.Errorf("in a hurry, 4 ms of writing took %v", got)
		}
		if p.n != 3*paceBytes {
			t.Errorf("%d bytes counted", p.n)
		}
	})
}
