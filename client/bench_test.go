package client

import (
	"context"
	"net"
	"testing"

	"github.com/ferrymq/ferrymq/transport"
)

// BenchmarkPublishAsync is what a message of 1 KiB costs up to the kernel:
// the node on the other side of a loopback connection decodes nothing but
// operation headers.
func BenchmarkPublishAsync(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		nc, err := l.Accept()
		if err == nil {
			err = serveBlindly(nc)
		}
		b.Log(err)
	}()
	ctx := context.Background()
	conn, err := Dial(ctx, "ferry://"+l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	m := Message{Body: make([]byte, 1024)}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.PublishAsync(ctx, "q", m, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := conn.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	conn.Close()
	l.Close()
	<-served
}

// serveBlindly confirms everything.
func serveBlindly(nc net.Conn) error {
	if _, err := transport.ReadPreface(nc); err != nil {
		return err
	}
	t := transport.NewConn(nc, transport.ConnOptions{})
	defer t.Close()
	var buf []byte
	for index := uint64(1); ; index++ {
		f, err := t.ReadFrame(buf)
		if err != nil {
			return err
		}
		buf = f.Payload
		reply := transport.Frame{Op: transport.OpEvents}
		if f.Op == transport.OpHello {
			reply.Op = transport.OpHelloOK
			ok := transport.HelloOK{Version: 1, Node: "n", Groups: []transport.GroupInfo{{Leader: "n"}}}
			reply.Payload = ok.AppendTo(nil)
		} else {
			e := transport.Events{Results: []transport.Result{{Stream: f.Stream, Index: index}}}
			reply.Payload = e.AppendTo(nil)
		}
		if err := t.Send(context.Background(), reply); err != nil {
			return err
		}
	}
}
