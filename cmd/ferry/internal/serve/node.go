package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferrymq/ferrymq/broker"
	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/gossip"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/transport"
)

// node is one life of a node: from opening its stores to closing them. Each
// part is nil until it is started.
type node struct {
	conf     *config.Config
	log      *slog.Logger
	plain    *slog.Logger
	registry *prometheus.Registry
	failed   chan error // gets one value if the node cannot go on

	mux       *transport.Mux
	served    chan struct{} // closed when the port is
	gossip    *gossip.Gossip
	discovery *discovery
	cluster   *cluster.Node
	broker    *broker.Broker
	traces    map[uint32]*broker.Trace // by group; never changes once the groups are open
	watched   chan struct{}            // closed when the watcher ended
	quit      chan struct{}            // ends the watcher
	caughtUp  catchUp
}

// startNode opens everything, in the order in which each needs the others.
// plain is a log that does not name the node.
func startNode(c *config.Config, plain *slog.Logger, version string) (*node, error) {
	n := &node{
		conf: c, log: plain.With("node", c.Node), plain: plain, registry: prometheus.NewRegistry(),
		failed: make(chan error, 1), quit: make(chan struct{}),
		traces:   map[uint32]*broker.Trace{},
		caughtUp: catchUp{target: map[uint32]uint64{}, done: map[uint32]bool{}},
	}
	if err := n.start(version); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) start(version string) error {
	k, err := readKeys(n.conf.ClusterKeyFile)
	if err != nil {
		return err
	}
	if err := n.listen(); err != nil {
		return err
	}
	if err := n.startGossip(k); err != nil {
		return err
	}
	if err := n.openCluster(k, version); err != nil {
		return err
	}
	if err := n.openBroker(); err != nil {
		return err
	}
	n.watch()
	n.cluster.Start(handler{n.broker})
	n.mux.Handle(transport.KindClient, n.broker.Serve)
	return nil
}

// listen opens the port that clients, peers and Raft share. Each kind is
// refused until it has a handler.
func (n *node) listen() error {
	l, err := transport.TCP{}.Listen(n.conf.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.mux = transport.NewMux(l, transport.MuxOptions{
		// The broker refuses what is too much with an error; the port's own
		// bound is only there for the moment in which it does.
		ClientsMax: n.conf.Connections + clientsSpare,
		Log:        n.log,
	})
	n.served = make(chan struct{})
	go func() {
		defer close(n.served)
		if err := n.mux.Serve(); !errors.Is(err, transport.ErrMuxClosed) {
			n.fail(fmt.Errorf("the port: %w", err))
		}
	}()
	return nil
}

const clientsSpare = 64

func (n *node) startGossip(k keys) error {
	g, err := gossip.Start(gossip.Options{
		NodeID:           n.conf.Node,
		BindAddr:         n.conf.Gossip,
		AdvertiseAddr:    n.conf.AdvertiseGossip,
		Join:             n.conf.Join,
		Key:              k.gossip,
		AllowUnencrypted: n.conf.WithoutClusterKey,
		Logger:           n.log.With("part", "gossip"),
	})
	if err != nil {
		return err
	}
	n.gossip = g
	n.discovery = newDiscovery(g, n.log)
	return nil
}

func (n *node) openCluster(k keys, version string) error {
	metrics := cluster.NewMetrics()
	c := n.conf
	var err error
	n.cluster, err = cluster.NewNode(cluster.NodeOptions{
		Name:       c.Node,
		Meta:       meta(c),
		OpenStores: n.openStores,
		WipeStores: func(group uint32) error { return wipeStores(c, group, n.log) },
		Mux:        n.mux,
		Network:    transport.TCP{},
		PeerAddr:   c.Advertise,
		ClientAddr: c.AdvertiseClient,
		Key:        k.link,
		Build:      version,
		Discovery:  n.discovery,
		Tracer:     n.tracer,
		Expect:     c.BootstrapExpect,
		Group: cluster.GroupOptions{
			HeartbeatTimeout: c.HeartbeatTimeout,
			ElectionTimeout:  c.ElectionTimeout,
			LeaderLease:      c.LeaderLeaseTimeout,
			CommitTimeout:    c.CommitTimeout,
			SnapshotBytes:    int64(c.SnapshotBytes),
			TrailingBytes:    int64(c.TrailingBytes),
		},
		Logger:           n.plain, // it adds the name
		Metrics:          metrics,
		OnDigestMismatch: n.digestMismatch,
	})
	if err != nil {
		return err
	}
	return n.registry.Register(metrics)
}

// digestMismatch: two replicas of one log differ. A person has to know.
func (n *node) digestMismatch(group uint32, other string, index uint64) {
	n.log.Error("replicas differ", "group", group, "other", other, "index", index)
}

// requestQuery is the one request between nodes that the broker answers.
const requestQuery = "query"

func (n *node) openBroker() error {
	var groups []broker.Group
	for _, g := range n.cluster.Groups() {
		groups = append(groups, g)
	}
	b, err := broker.New(broker.Options{
		Node:           n.conf.Node,
		ClusterID:      n.cluster.ClusterID,
		Groups:         groups,
		Peers:          n.cluster.Peers(),
		Admin:          n.admin(),
		Logger:         n.log,
		MessageMax:     int(n.conf.MessageMax),
		ConnectionsMax: n.conf.Connections,
		MemoryLimit:    messagesLimit(n.conf),
		PublishRate:    n.conf.PublishRate,
		PublishBurst:   n.conf.PublishBurst,
		Heap:           heapOf(n.conf),
		Disk:           diskSpace(n.conf),
		Trace:          func(group uint32) *broker.Trace { return n.traces[group] },
	})
	if err != nil {
		return err
	}
	n.broker = b
	n.cluster.Peers().Handle(requestQuery, func(ctx context.Context, _ string, body []byte) ([]byte, error) {
		return b.HandlePeerRequest(ctx, requestQuery, body)
	})
	n.cluster.Peers().Handle(requestStatus, n.admin().onStatus)
	return n.registry.Register(b.Collector())
}

// tracer makes a group's trace, if one is kept.
func (n *node) tracer(group uint32) cluster.Tracer {
	if n.conf.TraceEvents == 0 {
		return nil
	}
	t := broker.NewTrace(n.conf.TraceEvents)
	n.traces[group] = t
	return t
}

func (n *node) admin() admin { return admin{node: n.cluster, alarms: n.alarms} }

func (n *node) alarms(group uint32) []string {
	if n.broker == nil {
		return nil
	}
	return n.broker.Alarms(group)
}

// handler passes on to the broker what the cluster tells.
type handler struct{ *broker.Broker }

func (h handler) LeaderChanged(g *cluster.Group, info transport.GroupInfo, self bool) {
	h.Broker.LeaderChanged(g.ID(), info, self)
}

// fail tells the supervisor, once.
func (n *node) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

// watch waits for the cluster's own wish to stop.
func (n *node) watch() {
	n.watched = make(chan struct{})
	go func() {
		defer close(n.watched)
		select {
		case <-n.cluster.Done():
			n.fail(judge(n.cluster.Err()))
		case <-n.quit:
		}
	}()
}
