package memory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair connects hosts a and b.
func pair(t *testing.T, n *Network) (near, far net.Conn) {
	t.Helper()
	l, err := n.Host("b").Listen(":7700")
	if err != nil {
		t.Fatal(err)
	}
	near, err = n.Host("a").Dial(t.Context(), "b:7700")
	if err != nil {
		t.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close(); l.Close() })
	return near, far
}

func TestBytesArriveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, NewNetwork())
		want := make([]byte, 3*bufferMax+17)
		for i := range want {
			want[i] = byte(i * 7)
		}
		wrote := make(chan error, 1)
		go func() {
			_, err := near.Write(want)
			wrote <- errors.Join(err, near.Close())
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("read %d bytes, %v", len(got), err)
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	})
}

func TestWriteBlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := pair(t, NewNetwork())
		near.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := near.Write(make([]byte, 2*bufferMax))
		if n != bufferMax || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("wrote %d, %v", n, err)
		}
	})
}

func TestDeadlineHoldsForWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := pair(t, NewNetwork())
		near.SetReadDeadline(time.Now().Add(time.Hour))
		start := time.Now()
		go func() {
			time.Sleep(time.Second)
			near.SetReadDeadline(time.Now().Add(time.Second))
		}()
		_, err := near.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != 2*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		near.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			near.Close()
		}()
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("read of a closed connection: %v", err)
		}
	})
}

func TestCutDelaysAndHealGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		near, far := pair(t, n)
		n.Cut("a", "b")
		if _, err := near.Write([]byte("late")); err != nil {
			t.Fatal(err)
		}
		near.Close()
		far.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := far.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read over a cut link: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Host("b").Dial(ctx, "a:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("dial over a cut link: %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			n.Heal("a", "b")
		}()
		far.SetReadDeadline(time.Time{})
		got, err := io.ReadAll(far)
		if string(got) != "late" || err != nil {
			t.Fatalf("read %q, %v", got, err)
		}
	})
}

func TestDialWaitsForHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		pair(t, n)
		n.CutOneWay("b", "a")
		go func() {
			time.Sleep(time.Second)
			n.HealAll()
		}()
		c, err := n.Host("a").Dial(t.Context(), "b:7700")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}

func TestCrashBreaksConnectionsAndPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		near, far := pair(t, n)
		n.Crash("b")
		for _, c := range []net.Conn{near, far} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("read: %v", err)
			}
		}
		if _, err := near.Write([]byte{1}); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("write: %v", err)
		}
		if _, err := n.Host("a").Dial(t.Context(), "b:7700"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial: %v", err)
		}
		near.Close()
		far.Close()
		if n.Conns() != 0 {
			t.Fatalf("%d connections left", n.Conns())
		}
	})
}

func TestAddresses(t *testing.T) {
	n := NewNetwork()
	h := n.Host("a")
	l, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Listen(l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("listening twice: %v", err)
	}
	if _, err := h.Listen("b:1"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Fatalf("listening for another host: %v", err)
	}
	c, err := h.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("connection that nobody accepted: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("accept: %v", err)
	}
	for _, addr := range []string{"a", "a:x", "a:70000"} {
		if _, err := h.Dial(t.Context(), addr); err == nil {
			t.Fatalf("dialled %q", addr)
		}
	}
	c.Close()
}
