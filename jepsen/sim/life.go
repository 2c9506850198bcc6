package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	ferry "github.com/ferrymq/ferrymq/broker"
	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/jepsen/sim/disk"
	"github.com/ferrymq/ferrymq/transport"
)

// life is one run of a host's process, wired as the ferry program wires one.
type life struct {
	host    *Host
	network *reach
	session *disk.Session
	stores  *store.Store
	mux     *transport.Mux
	served  chan error
	cluster *cluster.Node
	broker  *ferry.Broker
}

// reach is a process's way to the network, which ends with the process.
type reach struct {
	transport.Network
	dead atomic.Bool
}

var errDead = errors.New("the process is dead")

func (n *reach) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.dead.Load() {
		return nil, errDead
	}
	return n.Network.Dial(ctx, addr)
}

// begin starts a process. A replica that has forgotten a promise begins anew at
// once, as the ferry program has it.
func (h *Host) begin() (*life, error) {
	l, err := h.live()
	if errors.Is(err, cluster.ErrRebuild) {
		h.world.trace.Note(h.Name, "moves its state aside: %v", err)
		h.rebuilt.Add(1)
		l, err = h.live()
	}
	return l, err
}

func (h *Host) live() (*life, error) {
	l := &life{
		host: h, network: &reach{Network: h.world.Network.Host(h.Name)},
		session: h.disk.Open(), served: make(chan error, 1),
	}
	listener, err := l.network.Listen(h.Addr())
	if err != nil {
		return nil, err
	}
	l.mux = transport.NewMux(listener, transport.MuxOptions{Log: h.world.logger})
	go func() { l.served <- l.mux.Serve() }()
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.stop())
	}
	return l, nil
}

func (l *life) open() (err error) {
	h := l.host
	logger := h.world.logger
	l.cluster, err = cluster.NewNode(cluster.NodeOptions{
		Name: h.Name, Meta: h.meta, OpenStores: l.openStores,
		WipeStores: func(uint32) error { h.disk.Wipe(); return nil },
		Mux:        l.mux, Network: l.network, PeerAddr: h.Addr(), ClientAddr: h.Addr(),
		Discovery: h.world.hub.Of(h.Name), Expect: len(h.world.Hosts), Group: h.world.group,
		WallSkew: func() time.Duration { return time.Duration(h.skew.Load()) },
		Logger:   logger,
		OnDigestMismatch: func(_ uint32, other string, index uint64) {
			h.world.problem(h.Name, fmt.Sprintf("its digest at %d differs from that of %s", index, other))
		},
	})
	if err != nil {
		return err
	}
	var groups []ferry.Group
	for _, g := range l.cluster.Groups() {
		groups = append(groups, g)
	}
	l.broker, err = ferry.New(ferry.Options{
		Node: h.Name, ClusterID: l.cluster.ClusterID, Groups: groups,
		Peers: l.cluster.Peers(), Admin: admin{l.cluster}, Logger: logger.With("node", h.Name),
	})
	if err != nil {
		return err
	}
	const query = "query"
	l.cluster.Peers().Handle(query, func(ctx context.Context, _ string, body []byte) ([]byte, error) {
		return l.broker.HandlePeerRequest(ctx, query, body)
	})
	l.cluster.Start(handler{broker: l.broker, host: h})
	l.mux.Handle(transport.KindClient, l.broker.Serve)
	return nil
}

// openStores implements cluster.NodeOptions.OpenStores, as the ferry program does.
func (l *life) openStores(group uint32, fatal func(error)) (cluster.GroupStores, error) {
	id, _, err := l.host.meta.Load()
	if err != nil {
		return cluster.GroupStores{}, err
	}
	s, err := store.OpenOn(l.session, store.Options{
		Existing: id.HasStores(group),
		OnHang: func(op string, took time.Duration) {
			fatal(fmt.Errorf("%w: %s takes longer than %s", store.ErrHung, op, took))
		},
		OnFatal: fatal,
		Logger:  l.host.world.logger.With("node", l.host.Name),
	})
	if errors.Is(err, store.ErrForgotten) {
		err = fmt.Errorf("%w: %w", cluster.ErrRebuild, err)
	}
	if err != nil {
		return cluster.GroupStores{}, err
	}
	l.stores = s
	return cluster.GroupStores{
		Stores: cluster.Stores{Log: s.Log(), Stable: mortal{s.Stable(), l}, Snapshots: s.Snapshots()},
		Close:  s.Close,
	}, nil
}

// mortal keeps raft from a panic that ends a process which ended before: a term
// that cannot be written is held back until the program has had the time to
// exit, and here a goroutine goes on after that.
type mortal struct {
	raft.StableStore
	l *life
}

func (m mortal) SetUint64(key []byte, val uint64) error {
	err := m.StableStore.SetUint64(key, val)
	if err != nil && m.l.network.dead.Load() {
		return nil
	}
	return err
}

// stop ends the process's parts, the last one first.
func (l *life) stop() error {
	var errs []error
	l.mux.Handle(transport.KindClient, nil)
	if l.cluster != nil {
		errs = append(errs, l.cluster.Close())
	}
	if l.broker != nil {
		errs = append(errs, l.broker.Close())
	}
	errs = append(errs, l.mux.Close())
	if err := <-l.served; !errors.Is(err, transport.ErrMuxClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
