package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
)

// mesh is links without groups.
type mesh struct {
	t       *testing.T
	network *memory.Network
	nodes   map[string]*meshNode
}

type meshNode struct {
	*Peers
	events *recorder
	mux    *transport.Mux
	served chan error
	clocks sync.Map
}

const opTest = transport.OpPeerSubmit

func newMesh(t *testing.T, tweak func(*PeersOptions), names ...string) *mesh {
	t.Helper()
	m := &mesh{t: t, network: memory.NewNetwork(), nodes: make(map[string]*meshNode)}
	for _, name := range names {
		n := &meshNode{events: &recorder{links: make(map[string]int)}, served: make(chan error, 1)}
		network := m.network.Host(name)
		l, err := network.Listen(name + ":1")
		if err != nil {
			t.Fatal(err)
		}
		o := PeersOptions{
			Node: name, ServerID: name + "-00000001", PeerAddr: name + ":1", ClientAddr: "client." + name, Network: network,
			OnClock: func(node string, wall int64) { n.clocks.Store(node, wall) }, Logger: testLogger().With("node", name),
		}
		if tweak != nil {
			tweak(&o)
		}
		if n.Peers, err = NewPeers(o); err != nil {
			t.Fatal(err)
		}
		n.Handle("echo", func(_ context.Context, from string, body []byte) ([]byte, error) {
			return append([]byte(from+":"), body...), nil
		})
		n.Handle("busy", func(context.Context, string, []byte) ([]byte, error) {
			return nil, transport.Errorf(transport.CodeBusy, "not now")
		})
		n.Handle("slow", func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		n.mux = transport.NewMux(l, transport.MuxOptions{})
		n.mux.Handle(transport.KindPeer, n.Accept)
		go func() { n.served <- n.mux.Serve() }()
		m.nodes[name] = n
	}
	for _, n := range m.nodes {
		for _, name := range names {
			n.Know(name, name+"-00000001", name+":1", "")
		}
		n.Start(n.events)
	}
	return m
}

func (m *mesh) up(a, b string) {
	m.t.Helper()
	eventually(m.t, "a link between "+a+" and "+b, func() bool { return m.nodes[a].Up(b) && m.nodes[b].Up(a) })
}

func (m *mesh) down(a, b string) {
	m.t.Helper()
	eventually(m.t, "no link between "+a+" and "+b, func() bool { return !m.nodes[a].Up(b) && !m.nodes[b].Up(a) })
}

func (m *mesh) close() {
	m.t.Helper()
	for name, n := range m.nodes {
		if err := n.Close(); err != nil {
			m.t.Error(err)
		}
		if err := n.mux.Close(); err != nil {
			m.t.Error(err)
		}
		<-n.served
		for _, b := range n.events.broken {
			m.t.Errorf("%s: %s", name, b)
		}
	}
}

func (n *meshNode) received() []transport.Frame {
	n.events.mu.Lock()
	defer n.events.mu.Unlock()
	return append([]transport.Frame(nil), n.events.frames...)
}

func TestOneLinkAPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b", "c")
		defer m.close()
		m.up("a", "b")
		m.up("b", "c")
		m.up("a", "c")
		synctest.Wait()
		if got := m.network.Conns(); got != 6 {
			t.Errorf("%d ends of connections for three pairs", got)
		}
		if addr := m.nodes["b"].ClientAddr("c"); addr != "client.c" {
			t.Errorf("client address %q", addr)
		}
		time.Sleep(3 * time.Second)
		wall, some := m.nodes["a"].clocks.Load("b")
		if age := time.Now().UnixMilli() - wall.(int64); !some || age > 2100 {
			t.Errorf("the last clock sample is %d ms old", age)
		}
	})
}

func TestFramesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, func(o *PeersOptions) { o.OutboxBytes = 64 << 10 }, "a", "b")
		defer m.close()
		m.up("a", "b")
		for i := range uint64(2000) {
			payload := make([]byte, 8+i%3000)
			binary.BigEndian.PutUint64(payload, i)
			if err := m.nodes["b"].Send(t.Context(), "a", transport.Frame{Op: opTest, Payload: payload}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "all frames", func() bool { return len(m.nodes["a"].received()) == 2000 })
		for i, f := range m.nodes["a"].received() {
			if got := binary.BigEndian.Uint64(f.Payload); got != uint64(i) || len(f.Payload) != 8+i%3000 {
				t.Fatalf("frame %d is %d of %d bytes", i, got, len(f.Payload))
			}
		}
	})
}

func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		a := m.nodes["a"]
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				want := fmt.Sprintf("a:%d", i)
				if out, err := a.Request(t.Context(), "b", "echo", []byte(want[2:])); err != nil || string(out) != want {
					t.Errorf("%q %v", out, err)
				}
			})
		}
		wg.Wait()
		if out, err := a.Request(t.Context(), "a", "echo", []byte("x")); err != nil || string(out) != "a:x" {
			t.Errorf("to itself: %q %v", out, err)
		}
		for _, tt := range []struct {
			node, kind string
			want       transport.Code
		}{{"b", "busy", transport.CodeBusy}, {"b", "nothing", transport.CodeUnsupported}, {"z", "echo", transport.CodeNoLeader}} {
			if _, err := a.Request(t.Context(), tt.node, tt.kind, nil); !errors.Is(err, tt.want) {
				t.Errorf("%s at %s: %v", tt.kind, tt.node, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Request(ctx, "b", "slow", nil); !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Errorf("past its deadline: %v", err)
		}
		answer := make(chan error, 1)
		go func() { _, err := a.Request(context.Background(), "b", "slow", nil); answer <- err }()
		synctest.Wait()
		m.network.Reset("a", "b")
		if err := <-answer; !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Errorf("the link broke: %v", err)
		}
	})
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range linkRequestsMax {
			wg.Go(func() { _, _ = m.nodes["a"].Request(ctx, "b", "slow", nil) })
		}
		synctest.Wait()
		if _, err := m.nodes["a"].Request(ctx, "b", "echo", nil); !errors.Is(err, transport.CodeBusy) {
			t.Errorf("one too many: %v", err)
		}
		cancel()
		wg.Wait()
	})
}

func TestSilenceEndsALinkAndItComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		time.Sleep(time.Minute) // an idle link lives
		if got := m.nodes["a"].events.changes(); len(got) != 1 {
			t.Fatalf("an idle link: %v", got)
		}
		m.network.Cut("a", "b")
		began := time.Now()
		m.down("a", "b")
		if took := time.Since(began); took < time.Second || took > 3*time.Second {
			t.Errorf("noticed after %v", took)
		}
		if err := m.nodes["b"].Send(t.Context(), "a", transport.Frame{Op: opTest}); !errors.Is(err, transport.CodeNoLeader) {
			t.Errorf("sent without a link: %v", err)
		}
		time.Sleep(time.Minute)
		m.network.Heal("a", "b")
		began = time.Now()
		m.up("a", "b")
		if took := time.Since(began); took > 2*redialMax+linkDialTimeout {
			t.Errorf("back after %v", took)
		}
		for range 20 {
			m.network.Reset("a", "b")
			m.down("a", "b")
			m.up("a", "b")
		}
	})
}

// A link that stays half open at one end is replaced by the next one.
func TestANewLinkReplacesADeadOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		old := m.nodes["b"].link("a")
		nc, err := DialNode(t.Context(), m.network.Host("a"), "b:1", transport.Preface{Kind: transport.KindPeer}, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn := m.nodes["a"].newConn(nc)
		if err := m.nodes["a"].sendHello(conn); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the new link", func() bool { l := m.nodes["b"].link("a"); return l != nil && l != old })
		conn.Close()
		m.up("a", "b")
	})
}

func TestASlowHandlerKeepsItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		n := m.nodes["b"]
		hold := make(chan struct{})
		n.events.hold = hold // set before the first frame
		for range 3 {
			if err := m.nodes["a"].Send(t.Context(), "b", transport.Frame{Op: opTest}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		if len(n.received()) != 0 {
			t.Error("the handler was not slow")
		}
		close(hold)
		time.Sleep(10 * time.Second)
		if got := n.received(); len(got) != 3 {
			t.Errorf("%d frames", len(got))
		}
		if got := n.events.changes(); len(got) != 1 {
			t.Errorf("the link broke: %v", got)
		}
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "a", "b")
		defer m.close()
		m.up("a", "b")
		m.nodes["a"].Forget("b")
		m.down("a", "b")
		time.Sleep(time.Minute)
		if m.nodes["b"].Up("a") {
			t.Error("a forgotten node has a link")
		}
	})
}

func TestWrongHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, nil, "b")
		defer m.close()
		for name, f := range map[string]transport.Frame{
			"not a hello":         {Op: opTest},
			"a node that listens": {Op: transport.OpPeerHello, Payload: transport.PeerHello{Node: "c"}.AppendTo(nil)},
			"this node itself":    {Op: transport.OpPeerHello, Payload: transport.PeerHello{Node: "b"}.AppendTo(nil)},
			"garbage":             {Op: transport.OpPeerHello, Payload: []byte{0xc1}},
		} {
			nc, err := DialNode(t.Context(), m.network.Host("x"), "b:1", transport.Preface{Kind: transport.KindPeer}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := nc.Write(transport.AppendFrame(nil, f)); err != nil {
				t.Fatal(err)
			}
			answer, err := transport.ReadFrame(nc, nil, transport.HelloFrameMax)
			if err != nil || answer.Op != transport.OpError {
				t.Errorf("%s: %v %v", name, answer.Op, err)
			}
			nc.Close()
		}
		// Silence is closed by its deadline.
		nc, err := DialNode(t.Context(), m.network.Host("x"), "b:1", transport.Preface{Kind: transport.KindPeer}, nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := transport.ReadFrame(nc, nil, transport.HelloFrameMax); err != nil {
			t.Log(err)
		}
		if took := time.Since(began); took > 2*handshakeTimeout {
			t.Errorf("closed after %v", took)
		}
		nc.Close()
	})
}
