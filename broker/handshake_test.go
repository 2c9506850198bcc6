package broker

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// wantError waits for an Error about the connection, and its end.
func (c *testClient) wantError(code transport.Code) transport.Error {
	c.t.Helper()
	var e transport.Error
	f := c.nextOp(transport.OpError)
	if err := e.Decode(f.Payload); err != nil {
		c.t.Fatal(err)
	}
	if e.Code != code || f.Stream != 0 {
		c.t.Fatalf("error %v on stream %d (%s), want %v on 0", e.Code, f.Stream, e.Message, code)
	}
	c.wantEnd()
	return e
}

func (c *testClient) wantEnd() {
	c.t.Helper()
	timer := time.NewTimer(testWait)
	defer timer.Stop()
	for {
		select {
		case _, ok := <-c.frames:
			if !ok {
				return
			}
		case <-timer.C:
			c.t.Fatal("connection stays open")
		}
	}
}

func TestHandshake(t *testing.T) {
	good := transport.Hello{VersionMin: 1, VersionMax: 1}
	for _, tc := range []struct {
		name   string
		change func(*transport.Hello)
		code   transport.Code
	}{
		{"newer client", func(h *transport.Hello) { h.VersionMin, h.VersionMax = 2, 3 }, transport.CodeVersion},
		{"older client", func(h *transport.Hello) { h.VersionMin, h.VersionMax = 0, 0 }, transport.CodeVersion},
		{"no version", func(h *transport.Hello) { h.VersionMin, h.VersionMax = 2, 1 }, transport.CodeHandshake},
		{"tls", func(h *transport.Hello) { h.TLS = true }, transport.CodeUnsupported},
		{"auth", func(h *transport.Hello) { h.Auth = "plain" }, transport.CodeUnsupported},
		{"auth data", func(h *transport.Hello) { h.AuthData = []byte("x") }, transport.CodeUnsupported},
		{"compression", func(h *transport.Hello) { h.Compression = "zstd" }, transport.CodeUnsupported},
		{"tiny frames", func(h *transport.Hello) { h.FrameMax = 1000 }, transport.CodeLimit},
		{"long name", func(h *transport.Hello) { h.Name = string(make([]byte, transport.HelloFrameMax)) }, transport.CodeTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := connectTo(t, startBroker(t, "a", newLeading(t, "a"), nil))
			h := good
			tc.change(&h)
			c.send(transport.OpHello, h)
			c.wantError(tc.code)
		})
	}
	t.Run("good", func(t *testing.T) {
		c := connectTo(t, startBroker(t, "a", newLeading(t, "a"), nil))
		h := good
		h.VersionMax, h.HeartbeatMs = 9, 700
		c.send(transport.OpHello, h)
		var ok transport.HelloOK
		if err := ok.Decode(c.nextOp(transport.OpHelloOK).Payload); err != nil {
			t.Fatal(err)
		}
		if ok.Version != 1 || ok.Node != "a" || ok.HeartbeatMs != 700 || ok.FrameMax != transport.FrameMax ||
			len(ok.Groups) != 1 || ok.Groups[0].Leader != "a" || len(ok.Nodes) != 2 {
			t.Fatalf("%+v", ok)
		}
		s := c.send(transport.OpPing, nil)
		if f := c.nextOp(transport.OpPong); f.Stream != s {
			t.Fatalf("pong on stream %d, ping on %d", f.Stream, s)
		}
	})
	t.Run("something else first", func(t *testing.T) {
		c := connectTo(t, startBroker(t, "a", newLeading(t, "a"), nil))
		c.send(transport.OpPing, nil)
		c.wantError(transport.CodeHandshake)
	})
	t.Run("another cluster", func(t *testing.T) {
		b := startBroker(t, "a", newLeading(t, "a"), nil)
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Serve(theirs, transport.Preface{Kind: transport.KindClient, ClusterID: [16]byte{9}})
		}()
		c := newTestClient(t, ours)
		c.wantError(transport.CodeHandshake)
		c.close()
		<-done
	})
}

// TestConnectionsMax: one client connection too many is told so, and there is
// room again when one is gone.
func TestConnectionsMax(t *testing.T) {
	b := startBroker(t, "a", newLeading(t, "a"), nil, func(o *Options) { o.ConnectionsMax = 2 })
	first := connectTo(t, b)
	first.hello()
	connectTo(t, b).hello()
	connectTo(t, b).wantError(transport.CodeLimit)
	first.close()
	waitFor(t, "room", func() bool {
		b.connsMu.Lock()
		defer b.connsMu.Unlock()
		return len(b.sockets) == 1 // these count, and end last
	})
	connectTo(t, b).hello()
}

// raw sends a frame whose payload may be anything.
func raw(op transport.Op, payload []byte) func(*testClient) {
	return func(c *testClient) {
		if err := c.c.TrySend(transport.Frame{Op: op, Stream: 99, Payload: payload}); err != nil {
			c.t.Error(err)
		}
	}
}

// TestBadBytes: what ends a connection says why, and others go on.
func TestBadBytes(t *testing.T) {
	b := startBroker(t, "a", newLeading(t, "a"), nil)
	other := attached(t, b, 200)
	other.create("q")
	bytes := func(p []byte) func(*testClient) {
		return func(c *testClient) {
			go func() { _, _ = c.c.NetConn().Write(p) }() // the other side may close in the middle
		}
	}
	var id byte
	for _, tc := range []struct {
		name string
		do   func(*testClient)
		code transport.Code
	}{
		{"garbage", bytes([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), transport.CodeTooLarge},
		{"wrong checksum", bytes(flip(transport.AppendFrame(nil, transport.Frame{Op: transport.OpPing, Payload: []byte{1}}))), transport.CodeMalformed},
		{"second hello", func(c *testClient) { c.send(transport.OpHello, transport.Hello{VersionMin: 1, VersionMax: 1}) }, transport.CodeHandshake},
		{"op of a server", raw(transport.OpEvents, nil), transport.CodeMalformed},
		{"op of a node", raw(transport.OpPeerSubmit, nil), transport.CodeMalformed},
		{"empty publish", raw(transport.OpPublish, nil), transport.CodeMalformed},
		{"no msgpack", raw(transport.OpSettle, []byte{0xc1}), transport.CodeMalformed},
		{"array that lies", raw(transport.OpSettle, []byte{0x92, 0x95, 1, 1, 0, 0xc2, 0, 0xdd, 0xff, 0xff, 0xff, 0xff}), transport.CodeMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id++
			c := attached(t, b, id)
			tc.do(c)
			if e := c.wantError(tc.code); e.Message == "" {
				t.Fatal("does not say what was wrong")
			}
			other.wantCode(other.publish("q", "still here"), transport.CodeOK)
		})
	}
	t.Run("op of a newer client", func(t *testing.T) {
		id++
		c := attached(t, b, id)
		raw(transport.Op(60), nil)(c)
		f := c.nextOp(transport.OpError)
		var e transport.Error
		if err := e.Decode(f.Payload); err != nil || e.Code != transport.CodeUnsupported || f.Stream != 99 {
			t.Fatalf("%+v on stream %d, %v", e, f.Stream, err)
		}
		c.create("q2")
	})
}

// TestBadRequests: each is refused, and its connection goes on.
func TestBadRequests(t *testing.T) {
	b := startBroker(t, "a", newLeading(t, "a"), nil)
	attached(t, b, 200).create("q")
	good := publishOf(transport.OpHeader{Handle: 1, Number: 1}, "q", "x")
	broken := good
	broken.Records = append([]byte(nil), good.Records...)
	broken.Records[len(broken.Records)-1]++
	var id byte
	for _, tc := range []struct {
		name string
		op   transport.Op
		m    payload
		code transport.Code
	}{
		{"unknown handle", transport.OpPublish, publishOf(transport.OpHeader{Handle: 5, Number: 1}, "q", "x"), transport.CodeInvalid},
		{"broken record", transport.OpPublish, broken, transport.CodeInvalid},
		{"no records", transport.OpPublish, transport.Publish{OpHeader: good.OpHeader, Queue: "q"}, transport.CodeInvalid},
		{"unknown queue", transport.OpPublish, publishOf(transport.OpHeader{Handle: 1, Number: 1}, "none", "x"), transport.CodeNotFound},
		{"empty settle", transport.OpSettle, transport.Settle{OpHeader: good.OpHeader}, transport.CodeInvalid},
		{"delay", transport.OpSettle, transport.Settle{OpHeader: good.OpHeader, Items: []transport.SettleItem{{Action: transport.ActionNack, DelayMs: 86_400_001}}}, transport.CodeInvalid},
		{"error that is no text", transport.OpSettle, transport.Settle{OpHeader: good.OpHeader, Items: []transport.SettleItem{{Action: transport.ActionReject, Error: "caf\xe9"}}}, transport.CodeInvalid},
		{"commit of an error that is no text", transport.OpCommit, transport.Commit{OpHeader: good.OpHeader, Settles: []transport.SettleItem{{Action: transport.ActionNack, Reason: transport.ReasonMessage, Error: "caf\xe9"}}}, transport.CodeInvalid},
		{"empty commit", transport.OpCommit, transport.Commit{OpHeader: good.OpHeader}, transport.CodeInvalid},
		{"commit of a broken record", transport.OpCommit, transport.Commit{OpHeader: good.OpHeader, Publishes: []transport.CommitPublish{{Queue: "q", Count: 1, Records: broken.Records}}}, transport.CodeInvalid},
		{"commit without action", transport.OpCommit, transport.Commit{OpHeader: good.OpHeader, Settles: []transport.SettleItem{{}}}, transport.CodeInvalid},
		{"commit of too much", transport.OpCommit, transport.Commit{OpHeader: good.OpHeader, Settles: make([]transport.SettleItem, 1000), Publishes: []transport.CommitPublish{{Queue: "q", Count: 1, Records: good.Records}}}, transport.CodeTooLarge},
		{"request without deadline", transport.OpRequest, transport.Request{OpHeader: good.OpHeader, Queue: "q", Records: good.Records}, transport.CodeInvalid},
		{"request that is broken", transport.OpRequest, transport.Request{OpHeader: good.OpHeader, Queue: "q", Records: broken.Records}, transport.CodeInvalid},
		{"large answer", transport.OpReply, transport.Reply{OpHeader: good.OpHeader, Records: publishOf(good.OpHeader, "q", strings.Repeat("x", 64<<10+1)).Records}, transport.CodeTooLarge},
		{"await of an unknown handle", transport.OpAwait, transport.Await{Handle: 5}, transport.CodeInvalid},
		{"empty amend", transport.OpAmend, transport.Amend{OpHeader: good.OpHeader, Queue: "q", Action: transport.AmendDelete}, transport.CodeInvalid},
		{"amend without action", transport.OpAmend, transport.Amend{OpHeader: good.OpHeader, Queue: "q", Items: make([]transport.AmendItem, 1)}, transport.CodeInvalid},
		{"long group", transport.OpGroupResume, transport.GroupResume{OpHeader: good.OpHeader, Queue: "q", GroupKey: string(make([]byte, 300))}, transport.CodeInvalid},
		{"group that is no text", transport.OpGroupResume, transport.GroupResume{OpHeader: good.OpHeader, Queue: "q", GroupKey: "caf\xe9"}, transport.CodeInvalid},
		{"long filter", transport.OpSubscribe, transport.Subscribe{OpHeader: good.OpHeader, Topic: "t", Queue: "s", Filter: string(make([]byte, 300))}, transport.CodeInvalid},
		{"no action", transport.OpSettle, transport.Settle{OpHeader: good.OpHeader, Items: []transport.SettleItem{{Action: 9}}}, transport.CodeInvalid},
		{"unknown group", transport.OpOpen, transport.Open{Group: 7}, transport.CodeNotFound},
		{"tokens mixed up", transport.OpAttach, transport.Attach{Handle: 1, Session: sessionID(1), Epoch: 1, Tokens: []uint64{2, 1}}, transport.CodeInvalid},
		{"handle of another session", transport.OpAttach, transport.Attach{Handle: 1, Session: sessionID(77), Epoch: 1}, transport.CodeInvalid},
		{"name too long", transport.OpQueueCreate, transport.QueueCreate{OpHeader: good.OpHeader, Queue: string(make([]byte, 300))}, transport.CodeInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id++
			c := attached(t, b, id)
			r := c.result(c.send(tc.op, tc.m))
			code := r.Code
			if len(r.Items) > 0 {
				code = r.Items[0].Code
			}
			if code != tc.code {
				t.Fatalf("%v (%s), want %v", code, r.Detail, tc.code)
			}
			c.send(transport.OpPing, nil)
			c.nextOp(transport.OpPong)
		})
	}
}

func flip(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t, "a", newLeading(t, "a"), nil)
		began := time.Now()
		ended := make(chan error, 1000)
		for range 1000 {
			ours, theirs := net.Pipe()
			go b.Serve(theirs, transport.Preface{Kind: transport.KindClient})
			go func() {
				f, err := transport.ReadFrame(ours, nil, transport.FrameMax)
				var e transport.Error
				if err == nil {
					err = e.Decode(f.Payload)
				}
				if err == nil && e.Code != transport.CodeHandshake {
					err = &e
				}
				ended <- errors.Join(err, ours.Close())
			}()
		}
		for range 1000 {
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 5*time.Second || took > 7*time.Second {
			t.Fatalf("closed after %v", took)
		}
	})
}

func TestSilentAfterHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t, "a", newLeading(t, "a"), nil)
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Serve(theirs, transport.Preface{Kind: transport.KindClient})
		}()
		h := transport.Hello{VersionMin: 1, VersionMax: 1, HeartbeatMs: 1000}
		began := time.Now()
		go func() {
			_ = transportWrite(ours, transport.Frame{Op: transport.OpHello, Payload: h.AppendTo(nil)})
			for { // takes everything, says nothing
				if _, err := transport.ReadFrame(ours, nil, transport.FrameMax); err != nil {
					return
				}
			}
		}()
		<-done
		if took := time.Since(began); took < 3*time.Second || took > 6*time.Second {
			t.Fatalf("closed after %v, want about 3 heartbeats", took)
		}
		if err := ours.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func transportWrite(nc net.Conn, f transport.Frame) error {
	_, err := nc.Write(transport.AppendFrame(nil, f))
	return err
}
