package cluster

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport/memory"
)

// layers makes two raft transports that can dial each other.
func layers(t *testing.T) (a, b raft.Transport, stop func()) {
	t.Helper()
	network := memory.NewNetwork()
	open := func(host, id string) (raft.Transport, func()) {
		n := network.Host(host)
		l, err := n.Listen(host + ":1")
		if err != nil {
			t.Fatal(err)
		}
		layer := NewStreamLayer(RaftAddr(id, host+":1"), func(ctx context.Context, _, addr string) (net.Conn, error) {
			return n.Dial(ctx, addr)
		})
		accepting := make(chan struct{})
		go func() {
			defer close(accepting)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				layer.Deliver(c)
			}
		}()
		trans := NewRaftTransport(layer, nil, testLogger())
		return trans, func() {
			l.Close()
			<-accepting
			if err := trans.(raft.WithClose).Close(); err != nil {
				t.Error(err)
			}
			layer.Wait()
		}
	}
	a, stopA := open("a", "a-00000001")
	b, stopB := open("b", "b-00000002")
	return a, b, func() { stopA(); stopB(); time.Sleep(2 * raftIOTimeout) }
}

// raft's fast path for heartbeats runs appendEntries beside the main loop and
// can write a deposed leader's entry under a new term (raft#695): heartbeats
// have to come through Consumer, whatever handler raft sets.
func TestHeartbeatsGoThroughTheMainLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, stop := layers(t)
		defer stop()
		b.SetHeartbeatHandler(func(raft.RPC) { t.Error("a heartbeat took the fast path") })
		served := make(chan struct{})
		go func() {
			defer close(served)
			rpc := <-b.Consumer()
			rpc.Respond(&raft.AppendEntriesResponse{Term: 5, Success: true}, nil)
		}()
		beat := &raft.AppendEntriesRequest{ // what raft.heartbeat sends
			RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("a-00000001"), Addr: a.EncodePeer("a-00000001", a.LocalAddr())},
			Term:      5,
		}
		var resp raft.AppendEntriesResponse
		if err := a.AppendEntries("b-00000002", b.LocalAddr(), beat, &resp); err != nil || !resp.Success {
			t.Fatal(err, resp)
		}
		<-served
	})
}

// beatCounter sees how raft itself treats the transport that a group uses.
type beatCounter struct {
	*raft.InmemTransport
	handlers int
}

func (b *beatCounter) SetHeartbeatHandler(func(raft.RPC)) { b.handlers++ }

func TestGroupKeepsRaftFromTheFastPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &beatCounter{}
		s := newSim(t, 1, func(_ int, o *GroupOptions) {
			inner.InmemTransport = o.Transport.(*raft.InmemTransport)
			o.Transport = inner
		})
		defer s.close()
		s.bootstrap()
		s.leader()
		if inner.handlers != 0 {
			t.Error("raft has set a heartbeat handler")
		}
	})
}

func TestAppendEntriesIsBoundedInBytes(t *testing.T) {
	entries := func(sizes ...int) *raft.AppendEntriesRequest {
		req := &raft.AppendEntriesRequest{}
		for i, n := range sizes {
			req.Entries = append(req.Entries, &raft.Log{Index: uint64(i + 1), Data: make([]byte, n)})
		}
		return req
	}
	const mib = 1 << 20
	for _, tt := range []struct {
		name string
		req  *raft.AppendEntriesRequest
		want int
	}{
		{"none", entries(), 0},
		{"small ones", entries(10, 20, 30), 3},
		{"exactly the bound", entries(2*mib, 2*mib), 2},
		{"above the bound", entries(2*mib, 2*mib, 1, 1), 2},
		{"one that is larger alone", entries(9*mib, 1), 1},
	} {
		boundEntries(tt.req)
		if got := len(tt.req.Entries); got != tt.want {
			t.Errorf("%s: %d entries", tt.name, got)
		}
	}
}

// Entries larger than the bound together reach the followers all the same.
func TestBoundedAppendEntriesReplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, 3, nil)
		defer s.close()
		s.bootstrap()
		l := s.leader()
		slow := s.others(l)[0]
		s.same()
		s.isolate(s.index(slow))
		for range 12 {
			large := make([]byte, 0, 1<<20)
			count := 0
			for len(large) < 900<<10 {
				large = append(large, opening(uint64(count))...)
				count++
			}
			if _, err := l.Propose(large, count)(); err != nil {
				t.Fatal(err)
			}
		}
		s.connect()
		s.same()
	})
}

func TestStreamLayerClosesWhatNobodyTakes(t *testing.T) {
	layer := NewStreamLayer("a-00000001@a:1", nil)
	var conns []net.Conn
	for range acceptedMax + 3 {
		here, there := net.Pipe()
		conns = append(conns, there)
		layer.Deliver(here)
	}
	if err := layer.Close(); err != nil {
		t.Fatal(err)
	}
	layer.Wait()
	for i, c := range conns {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("connection %d is open", i)
		}
	}
	if _, err := layer.Accept(); err == nil {
		t.Error("accepts after Close")
	}
}
