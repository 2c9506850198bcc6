package wire_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
)

var refused error

func TestMain(m *testing.M) {
	refused = lab.Enter()
	os.Exit(m.Run())
}

const port = 7000

// pair is two hosts on a network of their own.
type pair struct {
	*wire.Net
	a, b *wire.Host
}

func newPair(t testing.TB) *pair {
	t.Helper()
	require.NoError(t, refused)
	p := &pair{Net: wire.New(7)}
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	var err error
	p.a, err = p.AddHost("a")
	require.NoError(t, err)
	p.b, err = p.AddHost("b")
	require.NoError(t, err)
	return p
}

func at(h *wire.Host) netip.AddrPort { return netip.AddrPortFrom(h.IP, port) }

// udp opens a socket in a host.
func udp(t *testing.T, h *wire.Host) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	require.NoError(t, h.Do(func() (err error) {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at(h)))
		return err
	}))
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// tcp opens a connection from a to b, and returns both ends.
func (p *pair) tcp(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	var l *net.TCPListener
	require.NoError(t, p.b.Do(func() (err error) {
		l, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at(p.b)))
		return err
	}))
	require.NoError(t, p.a.Do(func() (err error) {
		client, err = net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(at(p.b)))
		return err
	}))
	server, err := l.AcceptTCP()
	require.NoError(t, err)
	require.NoError(t, l.Close())
	t.Cleanup(func() { _, _ = client.Close(), server.Close() }) // some tests did
	return client, server
}

// await reads one packet, "" when none comes in time.
func await(t *testing.T, c *net.UDPConn, timeout time.Duration) string {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(timeout)))
	buf := make([]byte, 2_000)
	n, _, err := c.ReadFromUDPAddrPort(buf)
	if err != nil {
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		return ""
	}
	return string(buf[:n])
}

func send(t *testing.T, c *net.UDPConn, to *wire.Host, text string) {
	t.Helper()
	_, err := c.WriteToUDPAddrPort([]byte(text), at(to))
	require.NoError(t, err)
}

const (
	soon  = time.Minute
	never = 100 * time.Millisecond
)

func TestABlockIsOneWayAndHeals(t *testing.T) {
	p := newPair(t)
	a, b := udp(t, p.a), udp(t, p.b)
	require.NoError(t, p.Set("a", "b", wire.Rule{Block: true}))
	send(t, a, p.b, "1")
	require.Empty(t, await(t, b, never))
	send(t, b, p.a, "2")
	require.Equal(t, "2", await(t, a, soon))
	require.Eventually(t, func() bool { return p.Counters()[wire.Link{From: "a", To: "b"}] == wire.Counters{Blocked: 1} },
		soon, time.Millisecond)
	ba := p.Counters()[wire.Link{From: "b", To: "a"}]
	require.EqualValues(t, 1, ba.Delivered)
	require.Zero(t, ba.Hurt())

	p.Heal()
	send(t, a, p.b, "3")
	require.Equal(t, "3", await(t, b, soon))
	require.EqualValues(t, 1, p.Counters()[wire.Link{From: "a", To: "b"}].Delivered)
}

// How much longer it may be is for TestLateArrivesOnTime, on a clock of its own.
func TestADelayIsWaitedFor(t *testing.T) {
	p := newPair(t)
	client, server := p.tcp(t)
	go func() { _, _ = io.Copy(server, server) }() // until the ends are closed
	require.NoError(t, p.Set("a", "b", wire.Rule{Delay: 30 * time.Millisecond, Jitter: 5 * time.Millisecond}))
	require.NoError(t, p.Set("b", "a", wire.Rule{Delay: 20 * time.Millisecond}))
	for range 5 {
		require.GreaterOrEqual(t, roundTrip(t, client, 1), 45*time.Millisecond)
	}
	require.Positive(t, p.Counters()[wire.Link{From: "a", To: "b"}].Delayed)
}

func roundTrip(t testing.TB, c *net.TCPConn, size int) time.Duration {
	began := time.Now()
	_, err := c.Write(make([]byte, size))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, size))
	require.NoError(t, err)
	return time.Since(began)
}

// transfer sends random bytes from a to b and returns what was sent and came.
func (p *pair) transfer(t *testing.T, size int) (sent, came []byte) {
	t.Helper()
	client, server := p.tcp(t)
	sent = make([]byte, size)
	_, err := rand.NewChaCha8([32]byte{}).Read(sent)
	require.NoError(t, err)
	wrote := make(chan error, 1)
	go func() {
		_, err := client.Write(sent)
		_ = client.CloseWrite() // the reader sees a short stream
		wrote <- err
	}()
	require.NoError(t, server.SetReadDeadline(time.Now().Add(soon)))
	came, err = io.ReadAll(server)
	require.NoError(t, err)
	require.NoError(t, <-wrote)
	return sent, came
}

// TCP survives what the wire does to its packets, and every fault is counted.
func TestAStreamSurvivesABadLink(t *testing.T) {
	p := newPair(t)
	bad := wire.Rule{
		Loss: 0.03, Duplicate: 0.05, Corrupt: 0.03, Reorder: 0.1,
		Delay: time.Millisecond, Jitter: time.Millisecond,
	}
	require.NoError(t, p.Set("a", "b", bad))
	require.NoError(t, p.Set("b", "a", bad))
	sent, came := p.transfer(t, 8<<20)
	require.True(t, bytes.Equal(sent, came))
	c := p.Counters()[wire.Link{From: "a", To: "b"}]
	t.Logf("%+v", c)
	for what, n := range map[string]int64{
		"lost": c.Lost, "twice": c.Duplicated, "corrupt": c.Corrupted, "reordered": c.Reordered, "delayed": c.Delayed,
	} {
		require.Positive(t, n, what)
	}
	require.Zero(t, c.Refused)
	require.GreaterOrEqual(t, segmentsWithBadChecksum(t, p.b), c.Corrupted/2, "what was corrupted was found by its checksum")
}

// segmentsWithBadChecksum is what the kernel counted in a host.
func segmentsWithBadChecksum(t *testing.T, h *wire.Host) int64 {
	t.Helper()
	var text []byte
	require.NoError(t, h.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	}))
	var names, values []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] == "Tcp:" {
			names, values = values, fields
		}
	}
	for i, name := range names {
		if name == "InCsumErrors" {
			n, err := strconv.ParseInt(values[i], 10, 64)
			require.NoError(t, err)
			return n
		}
	}
	t.Fatal("no InCsumErrors in ", string(text))
	return 0
}

// What is mangled arrives, and nobody but the application can know.
func TestAMangledStreamArrivesWrong(t *testing.T) {
	p := newPair(t)
	require.NoError(t, p.Set("a", "b", wire.Rule{Mangle: 0.1}))
	sent, came := p.transfer(t, 8<<20)
	require.Len(t, came, len(sent))
	wrong := int64(0)
	for i := range sent {
		if sent[i] != came[i] {
			wrong++
		}
	}
	c := p.Counters()[wire.Link{From: "a", To: "b"}]
	require.Positive(t, wrong)
	require.LessOrEqual(t, wrong, c.Mangled, "at most one byte a packet")
	require.Zero(t, segmentsWithBadChecksum(t, p.b))
}

func TestARateLimits(t *testing.T) {
	p := newPair(t)
	require.NoError(t, p.Set("a", "b", wire.Rule{Rate: 8 << 20}))
	began := time.Now()
	sent, came := p.transfer(t, 4<<20)
	require.True(t, bytes.Equal(sent, came))
	require.Greater(t, time.Since(began), 400*time.Millisecond)
	require.Positive(t, p.Counters()[wire.Link{From: "a", To: "b"}].Limited)
}

// A block with resets refuses new connections and ends those that are there.
func TestAResetEndsConnections(t *testing.T) {
	p := newPair(t)
	client, _ := p.tcp(t)
	require.NoError(t, p.Set("a", "b", wire.Rule{Block: true, Reset: true}))
	_, err := client.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(soon)))
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, unix.ECONNRESET)
	err = p.a.Do(func() error {
		_, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(at(p.b)))
		return err
	})
	require.ErrorIs(t, err, unix.ECONNREFUSED)
	require.Eventually(t, func() bool { // what was sent once more may be on its way
		c := p.Counters()[wire.Link{From: "a", To: "b"}]
		return c.Blocked == c.Reset && c.Reset >= 2
	}, soon, time.Millisecond)
}

// The harness is a host too, in the network that it is in anyway.
func TestJoinGivesThisProcessAnAddress(t *testing.T) {
	p := newPair(t)
	h, err := p.Join("harness")
	require.NoError(t, err)
	b := udp(t, p.b)
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at(p.b)))
	require.NoError(t, err)
	require.Equal(t, h.IP, c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap())
	_, err = c.Write([]byte("hello"))
	require.NoError(t, err)
	require.Equal(t, "hello", await(t, b, soon))
	require.NoError(t, c.Close())
}

func TestMistakesAreTold(t *testing.T) {
	p := newPair(t)
	_, err := p.AddHost("a")
	require.ErrorIs(t, err, wire.ErrHosts)
	require.ErrorIs(t, p.Set("a", "x", wire.Rule{}), wire.ErrNoHost)
	require.ErrorIs(t, p.Set("x", "a", wire.Rule{}), wire.ErrNoHost)
	err = p.Set("a", "b", wire.Rule{Loss: 1.5, Delay: -1, Rate: -1, Reset: true})
	require.ErrorIs(t, err, wire.ErrRule)
	for _, word := range []string{"Loss", "Delay", "Rate", "Reset"} {
		require.ErrorContains(t, err, word)
	}
	require.NoError(t, p.Close())
	_, err = p.AddHost("c")
	require.ErrorIs(t, err, wire.ErrHosts)
}

// BenchmarkRoundTrip and BenchmarkStream are the wire without rules.
func BenchmarkRoundTrip(b *testing.B) {
	p := newPair(b)
	client, server := p.tcp(b)
	go func() { _, _ = io.Copy(server, server) }() // until the ends are closed
	for b.Loop() {
		roundTrip(b, client, 1)
	}
}

func BenchmarkStream(b *testing.B) {
	p := newPair(b)
	client, server := p.tcp(b)
	const chunk = 1 << 20
	buf := make([]byte, chunk)
	b.SetBytes(chunk)
	go func() { _, _ = io.Copy(io.Discard, server) }() // until the ends are closed
	for b.Loop() {
		_, err := client.Write(buf)
		require.NoError(b, err)
	}
}
