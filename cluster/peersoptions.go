package cluster

import (
	"context"
	"log/slog"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	defaultLinkOutbox    = 8 << 20
	defaultLinkHeartbeat = 500 * time.Millisecond // silence of three of these ends a link
	defaultClockEvery    = 2 * time.Second
	handshakeTimeout     = 5 * time.Second
	linkDialTimeout      = 3 * time.Second
	redialFrom           = 50 * time.Millisecond
	redialMax            = 2 * time.Second
	linkRequestsMax      = 64   // requests of one node that are served at once
	peersMax             = 1024 // nodes known
	slowHandler          = 250 * time.Millisecond
)

// PeerHandler takes what arrives on links. For one node, its methods are
// called one after the other: PeerUp, frames in order, PeerDown, and only then
// PeerUp of the next link. While PeerFrame blocks, nothing more is read from
// that node.
type PeerHandler interface {
	PeerUp(node string)
	PeerDown(node string)
	PeerFrame(node string, f transport.Frame)
}

// RequestHandler answers a request of another node. An error that is not a
// *transport.Error becomes CodeInternal. ctx ends with the link.
type RequestHandler func(ctx context.Context, from string, body []byte) ([]byte, error)

// PeersOptions configures the links of a node.
type PeersOptions struct {
	Node       string
	ServerID   string
	ClientAddr string // what clients are told
	PeerAddr   string // what nodes dial
	Build      string

	Network transport.Network
	Key     []byte // of the cluster; nil: links prove nothing

	// Cluster is this node's cluster id, zero while it has none. Adopt is
	// told the id of a node that has one while this node has none; its error
	// refuses the link.
	Cluster  func() [16]byte
	Adopt    func(id [16]byte) error
	HasState func() bool

	// OnClock gets every sample of another node's wall clock, OnHello what a
	// node said of itself when its link came up, before PeerUp.
	OnClock func(node string, wallMillis int64)
	OnHello func(hello transport.PeerHello)

	WallSkew func() time.Duration // added to the wall clock that is told; as in GroupOptions

	OutboxBytes int           // default 8 MiB; what waits for one node before Send blocks
	Heartbeat   time.Duration // default 500 ms
	ClockEvery  time.Duration // default 2 s

	Logger  *slog.Logger
	Metrics *Metrics
}

func (o PeersOptions) withDefaults() PeersOptions {
	setDefault(&o.OutboxBytes, defaultLinkOutbox)
	setDefault(&o.Heartbeat, defaultLinkHeartbeat)
	setDefault(&o.ClockEvery, defaultClockEvery)
	if o.WallSkew == nil {
		o.WallSkew = noSkew
	}
	if o.Cluster == nil {
		o.Cluster = func() [16]byte { return [16]byte{} }
	}
	if o.Adopt == nil {
		o.Adopt = func([16]byte) error { return nil }
	}
	if o.HasState == nil {
		o.HasState = func() bool { return false }
	}
	if o.OnClock == nil {
		o.OnClock = func(string, int64) {}
	}
	if o.OnHello == nil {
		o.OnHello = func(transport.PeerHello) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return o
}

// Validate returns every mistake, after defaults.
func (o PeersOptions) Validate() error {
	o = o.withDefaults()
	var m mistakes
	m.when(o.Node == "", "Node is empty")
	m.when(o.PeerAddr == "", "PeerAddr is empty")
	m.when(o.Network == nil, "Network is missing")
	m.when(o.OutboxBytes < 0, "OutboxBytes %d is negative", o.OutboxBytes)
	m.when(o.Heartbeat < 10*time.Millisecond, "Heartbeat %v is below 10 ms", o.Heartbeat)
	m.when(o.ClockEvery < 0, "ClockEvery %v is negative", o.ClockEvery)
	return m.err()
}

// wallMillis is what this node tells others of its wall clock.
func (o PeersOptions) wallMillis() int64 { return time.Now().Add(o.WallSkew()).UnixMilli() }
