package sim

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/hashicorp/raft"

	ferry "github.com/ferrymq/ferrymq/broker"
	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
)

// Host is a machine. Its stores survive a crash of its process: what was
// written counts as fsynced.
type Host struct {
	Name string

	world *World
	meta  *cluster.MemoryMeta
	log   *raft.InmemStore
	snaps raft.SnapshotStore
	life  *life
}

// life is one run of a host's process.
type life struct {
	network *network
	mux     *transport.Mux
	served  chan error
	cluster *cluster.Node
	broker  *ferry.Broker
}

// network is a process's way to the network, which ends with the process.
type network struct {
	transport.Network
	dead atomic.Bool
}

var errDead = errors.New("the process is dead")

func (n *network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.dead.Load() {
		return nil, errDead
	}
	return n.Network.Dial(ctx, addr)
}

// World is all the hosts and what lies between them.
type World struct {
	Network *memory.Network
	Hosts   []*Host

	hub    cluster.MemoryDiscovery
	expect int
	logger *slog.Logger
}

// NewWorld makes hosts with empty disks. Nothing runs yet.
func NewWorld(logger *slog.Logger, names ...string) *World {
	w := &World{Network: memory.NewNetwork(), expect: len(names), logger: logger}
	for _, name := range names {
		w.Hosts = append(w.Hosts, &Host{
			Name: name, world: w, meta: &cluster.MemoryMeta{},
			log: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore(),
		})
	}
	return w
}

// URL names every host, beginning with the i-th.
func (w *World) URL(i int) string {
	url := "ferry://"
	for k := range w.Hosts {
		if k > 0 {
			url += ","
		}
		url += w.Hosts[(i+k)%len(w.Hosts)].Addr()
	}
	return url
}

// Addr is the address for everybody.
func (h *Host) Addr() string { return h.Name + ":7700" }

// Start starts the host's process, wired as the ferry program wires one.
func (h *Host) Start() error {
	l := &life{network: &network{Network: h.world.Network.Host(h.Name)}, served: make(chan error, 1)}
	listener, err := l.network.Listen(h.Addr())
	if err != nil {
		return err
	}
	l.mux = transport.NewMux(listener, transport.MuxOptions{Log: h.world.logger})
	go func() { l.served <- l.mux.Serve() }()
	h.life = l
	if err := h.open(l); err != nil {
		return errors.Join(err, h.Stop())
	}
	return nil
}

func (h *Host) open(l *life) (err error) {
	logger := h.world.logger.With("node", h.Name)
	l.cluster, err = cluster.NewNode(cluster.NodeOptions{
		Name: h.Name, Meta: h.meta, OpenStores: h.stores, WipeStores: h.wipe,
		Mux: l.mux, Network: l.network, PeerAddr: h.Addr(), ClientAddr: h.Addr(),
		Discovery: h.world.hub.Of(h.Name), Expect: h.world.expect, Logger: logger,
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
		Peers: l.cluster.Peers(), Admin: admin{l.cluster}, Logger: logger,
	})
	if err != nil {
		return err
	}
	const query = "query"
	l.cluster.Peers().Handle(query, func(ctx context.Context, _ string, body []byte) ([]byte, error) {
		return l.broker.HandlePeerRequest(ctx, query, body)
	})
	l.cluster.Start(handler{l.broker})
	l.mux.Handle(transport.KindClient, l.broker.Serve)
	return nil
}

func (h *Host) stores(uint32, func(error)) (cluster.GroupStores, error) {
	return cluster.GroupStores{Stores: cluster.Stores{Log: h.log, Stable: h.log, Snapshots: h.snaps}}, nil
}

func (h *Host) wipe(uint32) error {
	h.log, h.snaps = raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	return nil
}

// Crash ends the process as a power cut does for everybody else: from one
// moment to the next nothing of it reaches anybody. What is left is then swept up.
func (h *Host) Crash() error {
	h.life.network.dead.Store(true)
	h.world.Network.Crash(h.Name)
	return h.Stop()
}

// Stop ends the process's parts, the last one first.
func (h *Host) Stop() error {
	l := h.life
	h.life = nil
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

// Running tells whether the host's process lives.
func (h *Host) Running() bool { return h.life != nil }

// Leads tells whether the host leads the group and serves.
func (h *Host) Leads() bool {
	if h.life == nil {
		return false
	}
	_, self := h.life.cluster.Group(0).Leader()
	return self
}

// Status is how the host sees its groups.
func (h *Host) Status() transport.ClusterInfo { return h.life.cluster.Status() }
