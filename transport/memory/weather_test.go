package memory

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// breeze delays the first bytes for long, the others hardly, and what waited
// at a cut link by as much as it waited.
type breeze struct{ calls int }

func (b *breeze) Travel(_, _ string, bytes int) time.Duration {
	if bytes == 0 {
		return 5 * time.Millisecond
	}
	b.calls++
	if b.calls == 1 {
		return 100 * time.Millisecond
	}
	return time.Millisecond
}

func (*breeze) Thaw(_, _ string, cut time.Duration) time.Duration { return cut }

func TestWeatherDelaysAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetWeather(&breeze{})
		start := time.Now()
		near, far := pair(t, n)
		if d := time.Since(start); d != 10*time.Millisecond {
			t.Fatalf("the handshake took %v", d)
		}
		start = time.Now()
		for _, text := range []string{"first ", "second"} {
			if _, err := near.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		near.Close()
		got, err := io.ReadAll(far)
		if string(got) != "first second" || err != nil || time.Since(start) != 100*time.Millisecond {
			t.Fatalf("read %q after %v, %v", got, time.Since(start), err)
		}
	})
}

func TestWhatWaitedAtACutThaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetWeather(&breeze{calls: 1})
		near, far := pair(t, n)
		n.CutOneWay("a", "b")
		start := time.Now()
		if _, err := near.Write([]byte("late")); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(3 * time.Second)
			n.Heal("a", "b")
		}()
		b := make([]byte, 8)
		k, err := far.Read(b)
		if string(b[:k]) != "late" || err != nil || time.Since(start) != 6*time.Second {
			t.Fatalf("read %q after %v, %v", b[:k], time.Since(start), err)
		}
	})
}
