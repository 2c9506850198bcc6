package broker

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ferrymq/ferrymq/transport"
)

// BenchmarkPublish measures what the broker costs without a log: eight
// connections over TCP, 1 KiB messages, n of them in an operation, as many
// operations under way as the window takes.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) { benchPublish(b, n, 0) })
	}
}

// BenchmarkWork publishes, delivers and acks.
func BenchmarkWork(b *testing.B) {
	b.Run("messages=16", func(b *testing.B) { benchPublish(b, 16, 4) })
}

const benchConns = 8

func benchPublish(b *testing.B, n, consumers int) {
	g := newLeading(b, "a")
	broker := startBroker(b, "a", g, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serves sync.WaitGroup
	serves.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			serves.Go(func() { broker.Serve(nc, transport.Preface{Kind: transport.KindClient}) })
		}
	})
	defer serves.Wait()
	defer ln.Close()
	dial := func(id byte) *testClient {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		c := newTestClient(b, nc)
		c.hello()
		c.wantCode(c.send(transport.OpOpen, transport.Open{Session: sessionID(id)}), transport.CodeOK)
		c.attach(id, 1)
		return c
	}
	var acked atomic.Int64
	allAcked := make(chan struct{})
	total := int64(b.N) * int64(n)
	var work sync.WaitGroup
	var clients []*testClient
	for i := range benchConns {
		c := dial(byte(i + 1))
		if i == 0 {
			c.create("q")
		}
		clients = append(clients, c)
	}
	for i := range consumers {
		c := dial(byte(100 + i))
		c.wantCode(c.send(transport.OpConsume, transport.Consume{OpHeader: c.header(), Consumer: 1, Queue: "q", CreditMessages: 512}), transport.CodeOK)
		work.Go(func() { ackAll(c, &acked, total, allAcked) })
	}
	message := strings.Repeat("x", 1024)
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = message
	}
	b.SetBytes(int64(n) * 1024)
	b.ReportAllocs()
	b.ResetTimer()
	var pubs sync.WaitGroup
	for i, c := range clients {
		ops := b.N / benchConns
		if i == 0 {
			ops += b.N % benchConns
		}
		pubs.Go(func() { publishMany(c, bodies, ops) })
	}
	pubs.Wait()
	if consumers > 0 {
		<-allAcked
	}
	b.StopTimer()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "msg/s")
	entries, _ := g.counted()
	b.ReportMetric(float64(b.N)/float64(max(entries, 1)), "ops/entry")
	for _, c := range clients {
		c.close()
	}
	if consumers == 0 {
		return
	}
	work.Wait()
}

// publishMany keeps as many operations under way as the machine takes.
func publishMany(c *testClient, bodies []string, ops int) {
	size := min(512, 8192/len(bodies))
	window := make(chan struct{}, size)
	var done sync.WaitGroup
	done.Go(func() {
		var e transport.Events
		for left := ops; left > 0; {
			f, ok := <-c.frames
			if !ok || f.Op != transport.OpEvents {
				c.t.Errorf("publish answered by %v", f.Op)
				return
			}
			if err := e.Decode(f.Payload); err != nil {
				c.t.Error(err)
			}
			for i := range e.Results {
				if e.Results[i].Code != transport.CodeOK {
					c.t.Errorf("publish: %+v", e.Results[i])
				}
				<-window
				left--
			}
		}
	})
	p := publishOf(transport.OpHeader{}, "q", bodies...)
	for range ops {
		window <- struct{}{}
		p.OpHeader = c.header()
		p.AnsweredThrough = max(p.Number, uint64(size)+1) - uint64(size) - 1
		c.stream++
		buf, start := transport.BeginFrame(make([]byte, 0, len(p.Records)+128))
		if err := c.c.SendBuilt(context.Background(), transport.EndFrame(p.AppendTo(buf), start, transport.OpPublish, 0, c.stream)); err != nil {
			c.t.Error(err)
			return
		}
	}
	done.Wait()
}

func ackAll(c *testClient, acked *atomic.Int64, total int64, all chan struct{}) {
	defer c.close()
	var e transport.Events
	for {
		select {
		case f := <-c.frames:
			if f.Op != transport.OpEvents {
				continue
			}
			if err := e.Decode(f.Payload); err != nil {
				c.t.Error(err)
				return
			}
			if len(e.Deliveries) == 0 {
				continue
			}
			h := c.header()
			h.AnsweredThrough = h.Number - 1 // no answer is asked for again
			s := transport.Settle{OpHeader: h}
			for _, d := range e.Deliveries {
				s.Items = append(s.Items, transport.SettleItem{Incarnation: d.Incarnation, Place: d.Place, Token: d.Token, Action: transport.ActionAck})
			}
			c.send(transport.OpSettle, s)
			if acked.Add(int64(len(e.Deliveries))) == total {
				close(all)
			}
		case <-all:
			return
		}
	}
}
