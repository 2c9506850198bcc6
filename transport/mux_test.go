package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
)

// port is a Mux that serves on host b, and what a test needs around it.
type port struct {
	t     *testing.T
	net   *memory.Network
	mux   *Mux
	ended chan error
}

func newPort(t *testing.T, opts MuxOptions) *port {
	t.Helper()
	n := memory.NewNetwork()
	l, err := n.Host("b").Listen(":7700")
	check(t, err)
	p := &port{t: t, net: n, mux: NewMux(l, opts), ended: make(chan error, 1)}
	go func() { p.ended <- p.mux.Serve() }()
	return p
}

func (p *port) dial(first []byte) net.Conn {
	p.t.Helper()
	c, err := p.net.Host("a").Dial(p.t.Context(), "b:7700")
	check(p.t, err)
	p.t.Cleanup(func() { c.Close() })
	if len(first) > 0 {
		_, err = c.Write(first)
		check(p.t, err)
	}
	return c
}

func (p *port) close() {
	p.t.Helper()
	check(p.t, p.mux.Close())
	if err := <-p.ended; !errors.Is(err, ErrMuxClosed) {
		p.t.Fatal(err)
	}
}

// refusal reads an Error and the end of the stream.
func refusal(t *testing.T, c net.Conn) *Error {
	t.Helper()
	f, err := ReadFrame(c, nil, FrameMax)
	check(t, err)
	e := new(Error)
	check(t, e.Decode(f.Payload))
	if f.Op != OpError || f.Stream != 0 {
		t.Fatalf("%s on stream %d", f.Op, f.Stream)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("after the error: %v", err)
	}
	return e
}

func preface(k Kind) []byte { return AppendPreface(nil, Preface{Kind: k}) }

func TestMuxDispatchesByKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, MuxOptions{})
		for _, k := range []Kind{KindClient, KindPeer} {
			p.mux.Handle(k, func(c net.Conn, pre Preface) {
				defer c.Close()
				if _, err := io.Copy(c, io.MultiReader(strings.NewReader(pre.Kind.String()+":"), c)); err != nil {
					t.Error(err)
				}
			})
		}
		for _, k := range []Kind{KindClient, KindPeer} {
			c := p.dial(append(preface(k), "hello"...))
			got := make([]byte, len(k.String())+6)
			_, err := io.ReadFull(c, got)
			check(t, err)
			if string(got) != k.String()+":hello" {
				t.Fatalf("%q", got)
			}
			c.Close()
		}
		if e := refusal(t, p.dial(preface(KindRaft))); e.Code != CodeShuttingDown || !e.Retryable {
			t.Fatal(e)
		}
		synctest.Wait()
		if a, b, c := p.mux.Counts(); a+b+c != 0 {
			t.Fatalf("%d, %d, %d connections left", a, b, c)
		}
		p.close()
	})
}

func TestMuxRefusesStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, MuxOptions{})
		version := preface(KindClient)
		version[6] = 9
		sum := preface(KindClient)
		sum[31]++
		for name, test := range map[string]struct {
			first []byte
			want  Code
		}{
			"http":     {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), CodeHandshake},
			"garbage":  {bytes.Repeat([]byte{0xff}, 1000), CodeHandshake},
			"version":  {version, CodeVersion},
			"checksum": {sum, CodeMalformed},
		} {
			if e := refusal(t, p.dial(test.first)); e.Code != test.want || e.Message == "" {
				t.Errorf("%s: %v", name, e)
			}
		}
		half := p.dial(preface(KindClient)[:20])
		start := time.Now()
		if _, err := half.Read(make([]byte, 1)); err != io.EOF || time.Since(start) != 5*time.Second {
			t.Fatalf("half a preface: %v after %v", err, time.Since(start))
		}
		p.close()
	})
}

func TestMuxBoundsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, MuxOptions{PendingMax: 3})
		served := make(chan net.Conn, 9)
		p.mux.Handle(KindClient, func(c net.Conn, _ Preface) { served <- c })
		var idle []net.Conn
		for range 5 {
			idle = append(idle, p.dial(nil))
			synctest.Wait()
		}
		for i, c := range idle {
			c.SetReadDeadline(time.Now().Add(time.Second))
			_, err := c.Read(make([]byte, 1))
			if i < 2 && err != io.EOF {
				t.Errorf("connection %d, one of the oldest: %v", i, err)
			}
			var timeout net.Error
			if i >= 2 && !errors.As(err, &timeout) {
				t.Errorf("connection %d: %v", i, err)
			}
		}
		_, err := idle[4].Write(preface(KindClient))
		check(t, err)
		c := <-served
		if pending, clients, _ := p.mux.Counts(); pending != 2 || clients != 1 {
			t.Fatalf("%d pending, %d clients", pending, clients)
		}
		c.Close()
		p.close()
	})
}

func TestMuxBoundsClientsNotNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, MuxOptions{ClientsMax: 2, NodesMax: 1})
		served := make(chan net.Conn, 9)
		for _, k := range []Kind{KindClient, KindPeer, KindRaft} {
			p.mux.Handle(k, func(c net.Conn, _ Preface) { served <- c })
		}
		for range 2 {
			p.dial(preface(KindClient))
		}
		first := <-served
		<-served
		if e := refusal(t, p.dial(preface(KindClient))); e.Code != CodeLimit {
			t.Fatal(e)
		}
		p.dial(preface(KindPeer))
		<-served
		if e := refusal(t, p.dial(preface(KindRaft))); e.Code != CodeLimit {
			t.Fatal(e)
		}
		first.Close()
		p.dial(preface(KindClient))
		<-served
		p.close() // closes those that the handlers handed on
		if n := p.net.Conns(); n == 0 {
			t.Fatal("the dialled ends are still open here")
		}
	})
}

func TestMuxCloseWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, MuxOptions{})
		in, out := make(chan struct{}), false
		p.mux.Handle(KindClient, func(c net.Conn, _ Preface) {
			close(in)
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("read something")
			}
			time.Sleep(time.Second) // its last words
			out = true
		})
		p.dial(preface(KindClient))
		<-in
		check(t, p.mux.StopAccepting())
		if _, err := p.net.Host("a").Dial(t.Context(), "b:7700"); err == nil {
			t.Fatal("dialled a closed port")
		}
		p.close()
		if !out {
			t.Fatal("the handler still runs")
		}
	})
}
