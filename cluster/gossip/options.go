package gossip

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"
)

// Bounds of what a node tells about itself.
const (
	// MetaBytesMax is the most that Meta may hold.
	MetaBytesMax = memberlist.MetaMaxSize
	// KeyBytes is the length of Key: AES-256.
	KeyBytes = 32

	nodeIDBytesMax = 128
	joinMax        = 64
)

var (
	// ErrMetaTooLong means more than MetaBytesMax bytes.
	ErrMetaTooLong = errors.New("gossip: meta is too long")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("gossip: closed")
	// ErrKeyRequired means that gossip would leave the machine unencrypted.
	ErrKeyRequired = errors.New("gossip: a key is required outside loopback")
)

// Options says who this node is and where the others may be found.
type Options struct {
	// NodeID is unique among all nodes, and stays the node's for life.
	NodeID string

	// BindAddr is host:port for UDP and TCP; the host is an IP address or
	// empty for all interfaces. Port 0 takes a free one (see Addr).
	BindAddr string

	// AdvertiseAddr is host:port as the others reach this node, if that is
	// not BindAddr. A name is resolved once, at Start.
	AdvertiseAddr string

	// Join lists host:port of some other nodes; this node's own address may
	// be among them. One that answers is enough.
	Join []string

	// Key encrypts and authenticates all gossip; all nodes share it. It has
	// KeyBytes bytes. Without one, whoever reaches the port can invent and
	// bury nodes.
	Key []byte

	// AllowUnencrypted permits gossip without a key outside loopback.
	AllowUnencrypted bool

	// Meta is what the other nodes are told of this one, at most MetaBytesMax
	// bytes.
	Meta []byte

	// ProbeInterval is how often one other node is probed (default 2 s); with
	// few nodes one is believed dead after about seven of them. It must exceed
	// one second, which is how long a direct probe waits.
	ProbeInterval time.Duration

	Logger *slog.Logger

	tune func(*memberlist.Config) // tests make it fast
}

const (
	// A probe waits long and suspicion lasts long, because a busy CPU delays
	// answers and gossip is in no hurry. The interval must be longer than the
	// timeout: what is left of it is the time for asking through other nodes.
	probeTimeout         = time.Second
	defaultProbeInterval = 2 * time.Second
	suspicionMult        = 6

	streamTimeout   = 5 * time.Second
	reclaimAfter    = 15 * time.Second
	gossipToTheDead = 30 * time.Second
)

func (o Options) withDefaults() Options {
	if o.ProbeInterval == 0 {
		o.ProbeInterval = defaultProbeInterval
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.tune == nil {
		o.tune = func(*memberlist.Config) {}
	}
	return o
}

// Validate returns every mistake in the options, after defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if o.NodeID == "" || len(o.NodeID) > nodeIDBytesMax {
		errs = append(errs, fmt.Errorf("gossip: NodeID has %d bytes, must have 1 to %d", len(o.NodeID), nodeIDBytesMax))
	}
	ip, _, err := splitBind(o.BindAddr)
	if err != nil {
		errs = append(errs, fmt.Errorf("gossip: BindAddr: %w", err))
	} else if len(o.Key) == 0 && !o.AllowUnencrypted && !ip.IsLoopback() {
		errs = append(errs, fmt.Errorf("%w: BindAddr is %q (or set AllowUnencrypted)", ErrKeyRequired, o.BindAddr))
	}
	if o.AdvertiseAddr != "" {
		if _, _, err := splitPort(o.AdvertiseAddr); err != nil {
			errs = append(errs, fmt.Errorf("gossip: AdvertiseAddr: %w", err))
		}
	}
	if len(o.Join) > joinMax {
		errs = append(errs, fmt.Errorf("gossip: %d addresses to join, at most %d", len(o.Join), joinMax))
	}
	for _, addr := range o.Join {
		if _, _, err := splitPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("gossip: Join: %w", err))
		}
	}
	if len(o.Key) != 0 && len(o.Key) != KeyBytes {
		errs = append(errs, fmt.Errorf("gossip: Key has %d bytes, must have %d", len(o.Key), KeyBytes))
	}
	if len(o.Meta) > MetaBytesMax {
		errs = append(errs, fmt.Errorf("%w: %d bytes, at most %d", ErrMetaTooLong, len(o.Meta), MetaBytesMax))
	}
	if o.ProbeInterval <= probeTimeout {
		errs = append(errs, fmt.Errorf("gossip: ProbeInterval %v must exceed %v", o.ProbeInterval, probeTimeout))
	}
	return errors.Join(errs...)
}

func splitPort(addr string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port of %q: %w", addr, err)
	}
	return host, int(n), nil
}

func splitBind(addr string) (net.IP, int, error) {
	host, port, err := splitPort(addr)
	if err != nil {
		return nil, 0, err
	}
	switch host {
	case "":
		return net.IPv4zero, port, nil
	case "localhost":
		return net.IPv4(127, 0, 0, 1), port, nil
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return nil, 0, fmt.Errorf("%q is no IP address", host)
	}
	return ip, port, nil
}

// config turns valid options into memberlist's.
func (o Options) config() (*memberlist.Config, error) {
	ip, port, err := splitBind(o.BindAddr)
	if err != nil {
		return nil, err
	}
	c := memberlist.DefaultLANConfig()
	c.Name = o.NodeID
	c.BindAddr, c.BindPort = ip.String(), port
	c.AdvertisePort = port
	if o.AdvertiseAddr != "" {
		adv, err := net.ResolveTCPAddr("tcp", o.AdvertiseAddr)
		if err != nil {
			return nil, fmt.Errorf("gossip: AdvertiseAddr: %w", err)
		}
		c.AdvertiseAddr, c.AdvertisePort = adv.IP.String(), adv.Port
	}
	c.SecretKey = o.Key
	c.SuspicionMult = suspicionMult
	c.ProbeTimeout = probeTimeout
	c.ProbeInterval = o.ProbeInterval
	c.TCPTimeout = streamTimeout
	c.GossipToTheDeadTime = gossipToTheDead
	c.DeadNodeReclaimTime = reclaimAfter
	c.Logger = bridge(o.Logger)
	o.tune(c)
	return c, nil
}
