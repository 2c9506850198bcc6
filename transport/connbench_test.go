package transport_test

import (
	"fmt"
	"testing"

	. "github.com/ferrymq/ferrymq/transport"
)

// BenchmarkConn sends frames over TCP on one machine, as fast as one goroutine can.
func BenchmarkConn(b *testing.B) {
	for _, size := range []int{100, 1024, 100 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			l, err := TCP{}.Listen("127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			near, err := TCP{}.Dial(b.Context(), l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			far, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			from, to := NewConn(near, ConnOptions{}), NewConn(far, ConnOptions{})
			b.SetBytes(int64(size + HeaderSize))
			b.ReportAllocs()
			done := make(chan error, 1)
			go func() {
				var buf []byte
				for range b.N {
					f, err := to.ReadFrame(buf)
					if err != nil {
						done <- err
						return
					}
					buf = f.Payload
				}
				done <- nil
			}()
			payload := make([]byte, size)
			for i := range b.N {
				if err := from.Send(b.Context(), Frame{Op: OpPublish, Stream: uint32(i), Payload: payload}); err != nil {
					b.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			from.Close()
			to.Close()
		})
	}
}
