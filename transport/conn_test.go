package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair connects two hosts in memory.
func pair(t *testing.T) (near, far net.Conn, n *memory.Network) {
	t.Helper()
	n = memory.NewNetwork()
	near, far = connect(t, n.Host("a"), n.Host("b"), "b:7700")
	return near, far, n
}

func connect(t *testing.T, from, to Network, addr string) (near, far net.Conn) {
	t.Helper()
	l, err := to.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err = from.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// frames of many sizes, told apart by their streams.
func payload(i int) []byte {
	sizes := []int{0, 10, 4000, 4096, 5000, 70_000, 300_000}
	return bytes.Repeat([]byte{byte(i)}, sizes[i%len(sizes)])
}

func testManyFrames(t *testing.T, near, far net.Conn) {
	const count = 200
	a, b := NewConn(near, ConnOptions{OutboxMax: 100_000}), NewConn(far, ConnOptions{})
	sent := make(chan error, 1)
	go func() {
		var err error
		for i := range count {
			f := Frame{Op: OpPublish, Stream: uint32(i), Payload: payload(i)}
			if i%3 == 0 {
				err = errors.Join(err, a.SendBuilt(t.Context(), AppendFrame(nil, f)))
			} else {
				err = errors.Join(err, a.Send(t.Context(), f))
			}
		}
		sent <- errors.Join(err, a.CloseAfterFlush(time.Minute))
	}()
	var buf []byte
	for i := range count {
		f, err := b.ReadFrame(buf)
		check(t, err)
		if f.Stream != uint32(i) || !bytes.Equal(f.Payload, payload(i)) {
			t.Fatalf("frame %d came as %d with %d bytes", i, f.Stream, len(f.Payload))
		}
		buf = f.Payload
	}
	if _, err := b.ReadFrame(nil); err != io.EOF {
		t.Fatalf("after the last frame: %v", err)
	}
	check(t, b.Close())
	check(t, <-sent)
}

func TestManyFramesInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, _ := pair(t)
		testManyFrames(t, near, far)
	})
}

func TestManyFramesOverTCP(t *testing.T) {
	near, far := connect(t, TCP{}, TCP{}, "127.0.0.1:0")
	testManyFrames(t, near, far)
}

func TestOutboxBlocksAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, _ := pair(t)
		a := NewConn(near, ConnOptions{OutboxMax: 1000, WriteTimeout: time.Hour})
		defer a.Close()
		f := Frame{Op: OpPublish, Payload: make([]byte, 600)}
		written := 0
		for a.TrySend(f) == nil {
			written++
			synctest.Wait()
		}
		if err := a.TrySend(f); !errors.Is(err, ErrOutboxFull) {
			t.Fatal(err)
		}
		if q := a.Queued(); q < 1000 || q >= 1000+f.Size() {
			t.Fatalf("%d bytes queued", q)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Send(ctx, f); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("send into a full outbox: %v", err)
		}
		var senders sync.WaitGroup
		for range 5 {
			senders.Go(func() {
				if err := a.Send(t.Context(), f); err != nil {
					t.Error(err)
				}
			})
		}
		b := NewConn(far, ConnOptions{})
		defer b.Close()
		for range written + 5 {
			_, err := b.ReadFrame(nil)
			check(t, err)
		}
		senders.Wait()
		check(t, a.WaitRoom(t.Context()))
		synctest.Wait()
		if q := a.Queued(); q != 0 {
			t.Fatalf("%d bytes queued at the end", q)
		}
	})
}

func TestCloseWakesEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _, _ := pair(t)
		a := NewConn(near, ConnOptions{OutboxMax: 10, WriteTimeout: time.Hour})
		errs := make(chan error, 3)
		go func() { _, err := a.ReadFrame(nil); errs <- err }()
		for range 2 {
			go func() {
				var err error
				for err == nil {
					err = a.Send(t.Context(), Frame{Op: OpPublish, Payload: make([]byte, 100_000)})
				}
				errs <- err
			}()
		}
		synctest.Wait()
		check(t, a.Close())
		for range 3 {
			if err := <-errs; !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
		}
		<-a.Done()
		if err := a.TrySend(Frame{}); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		check(t, a.Close())
	})
}

func TestDeadWriterFailsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _, n := pair(t)
		a := NewConn(near, ConnOptions{WriteTimeout: time.Second})
		n.Cut("a", "b")
		check(t, a.Send(t.Context(), Frame{Op: OpPublish, Payload: make([]byte, 1<<20)}))
		<-a.Done()
		if err := a.Err(); !errors.Is(err, ErrClosed) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := a.ReadFrame(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		check(t, a.Close())
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, n := pair(t)
		a, b := NewConn(near, ConnOptions{}), NewConn(far, ConnOptions{})
		defer a.Close()
		defer b.Close()
		a.SetHeartbeat(time.Second)
		b.SetHeartbeat(time.Second)
		ended := make(chan error, 2)
		pings := make(chan int, 2)
		for _, c := range []*Conn{a, b} {
			go func() {
				count := 0
				for {
					f, err := c.ReadFrame(nil)
					if err != nil {
						pings <- count
						ended <- err
						return
					}
					if f.Op == OpPing {
						count++
					}
				}
			}()
		}
		time.Sleep(time.Minute)
		select {
		case err := <-ended:
			t.Fatalf("ended while both were alive: %v", err)
		default:
		}
		if age := time.Since(a.LastRead()); age > time.Second {
			t.Fatalf("nothing read for %v", age)
		}
		n.Cut("a", "b")
		cut := time.Now()
		for range 2 {
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			if count := <-pings; count < 55 || count > 62 {
				t.Fatalf("%d pings in a minute", count)
			}
		}
		if d := time.Since(cut); d < 2*time.Second || d > 4*time.Second {
			t.Fatalf("noticed after %v", d)
		}
	})
}

func TestReadDeadlineHoldsWhateverArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, _ := pair(t)
		b := NewConn(far, ConnOptions{})
		defer b.Close()
		b.SetReadTimeout(time.Second)
		b.SetReadDeadline(time.Now().Add(5 * time.Second))
		start := time.Now()
		go func() { // half a frame, a byte at a time
			for _, x := range AppendFrame(nil, Frame{Op: OpHello, Payload: make([]byte, 100)})[:50] {
				time.Sleep(500 * time.Millisecond)
				if _, err := near.Write([]byte{x}); err != nil {
					return
				}
			}
		}()
		if _, err := b.ReadFrame(nil); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		b.SetReadDeadline(time.Time{})
		start = time.Now()
		near.SetWriteDeadline(time.Now())
		if _, err := b.ReadFrame(nil); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > 2*time.Second {
			t.Fatalf("after %v of silence: %v", time.Since(start), err)
		}
	})
}

func TestWrongBytesNameTheirPlaceInTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, _ := pair(t)
		b := NewConn(far, ConnOptions{FrameMax: 100})
		defer b.Close()
		good := AppendFrame(nil, Frame{Op: OpPing})
		_, err := near.Write(append(good, AppendFrame(nil, Frame{Op: OpHello, Payload: make([]byte, 101)})...))
		check(t, err)
		_, err = b.ReadFrame(nil)
		check(t, err)
		_, err = b.ReadFrame(nil)
		var wrong *FrameError
		if !errors.As(err, &wrong) || wrong.Err != ErrFrameTooLarge || wrong.Offset != 16 || wrong.Of != "stream" {
			t.Fatal(err)
		}
	})
}

func testAbort(t *testing.T, near, far net.Conn) {
	a, b := NewConn(near, ConnOptions{}), NewConn(far, ConnOptions{})
	// The far side has sent what nobody reads, which must not destroy the Error.
	for range 10 {
		check(t, b.Send(t.Context(), Frame{Op: OpPublish, Payload: make([]byte, 1000)}))
	}
	_, err := a.ReadFrame(nil)
	check(t, err)
	aborted := make(chan error, 1)
	go func() { aborted <- a.Abort(Errorf(CodeMalformed, "at offset %d", 16), time.Minute) }()
	f, err := b.ReadFrame(nil)
	check(t, err)
	var e Error
	check(t, e.Decode(f.Payload))
	if f.Op != OpError || !errors.Is(&e, CodeMalformed) {
		t.Fatalf("%s: %v", f.Op, &e)
	}
	if _, err := b.ReadFrame(nil); err != io.EOF {
		t.Fatal(err)
	}
	check(t, b.Close())
	check(t, <-aborted)
}

func TestAbortIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far, _ := pair(t)
		testAbort(t, near, far)
	})
	near, far := connect(t, TCP{}, TCP{}, "127.0.0.1:0")
	testAbort(t, near, far)
}

func TestCloseAfterFlushGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _, n := pair(t)
		n.Cut("a", "b")
		a := NewConn(near, ConnOptions{})
		check(t, a.Send(t.Context(), Frame{Op: OpPublish, Payload: make([]byte, 1<<20)}))
		start := time.Now()
		check(t, a.CloseAfterFlush(3*time.Second))
		if d := time.Since(start); d != 3*time.Second {
			t.Fatalf("took %v", d)
		}
	})
}

// An other side that is slow to end its half is not waited for any longer, and
// that is no error.
func TestCloseAfterFlushWaitsForTheOtherSideOnlySoLong(t *testing.T) {
	near, far := connect(t, TCP{}, TCP{}, "127.0.0.1:0")
	a := NewConn(near, ConnOptions{})
	check(t, a.Send(t.Context(), Frame{Op: OpPing}))
	check(t, a.CloseAfterFlush(50*time.Millisecond))
	check(t, far.Close())
}

func TestConnOptions(t *testing.T) {
	check(t, ConnOptions{}.Validate())
	err := ConnOptions{OutboxMax: -1, ReadBuffer: -1, WriteTimeout: -1}.Validate()
	for _, name := range []string{"OutboxMax", "ReadBuffer", "WriteTimeout"} {
		if !bytes.Contains(fmt.Append(nil, err), []byte(name)) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
