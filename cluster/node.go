package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// Node is this process's part in the cluster: its identity, its replicas, its
// links, and what it does about membership.
type Node struct {
	opts  NodeOptions
	log   *slog.Logger
	id    *identity
	peers *Peers

	groups []*replica // by number; complete when NewNode returns

	ctx   context.Context
	stop  context.CancelFunc
	loops sync.WaitGroup

	done     chan struct{} // closed when the node must stop by itself
	failOnce sync.Once
	failure  error // set before done is closed

	leadMu  sync.Mutex // orders LeaderChanged of Start and of the groups
	handler NodeHandler
	told    map[uint32]leaderNews

	candidate [16]byte // the id of a cluster that this node would form; membershipLoop's
	promise   promise
	closeOnce sync.Once
}

type leaderNews struct {
	info transport.GroupInfo
	self bool
}

// replica is a group of this node and what belongs to it.
type replica struct {
	*Group
	stores GroupStores
	layer  *StreamLayer
	pilot  *pilot
	stuck  atomic.Pointer[error] // why the replica cannot follow, until the leader is asked about it
}

// NewNode opens the node's groups and serves peers and raft on the port. What
// arrives on links waits for Start.
func NewNode(opts NodeOptions) (*Node, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	n := &Node{
		opts: opts, log: opts.Logger.With("node", opts.Name),
		done: make(chan struct{}), told: make(map[uint32]leaderNews),
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	var err error
	if n.id, err = openIdentity(opts); err != nil {
		return nil, err
	}
	if err := n.openPeers(); err != nil {
		return nil, err
	}
	for _, group := range slices.Sorted(slices.Values(opts.Groups)) {
		if err := n.openReplica(group); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	// Before anything is promised from these stores.
	if err := n.id.change(func(id *Identity) { id.Stored = storesOf(opts.Groups) }); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	opts.Mux.Handle(transport.KindPeer, n.peers.Accept)
	opts.Mux.Handle(transport.KindRaft, n.acceptRaft)
	return n, nil
}

func (n *Node) openPeers() error {
	o := n.opts.Peers
	o.Node, o.ServerID = n.opts.Name, n.id.get().ServerID
	o.PeerAddr, o.ClientAddr, o.Build = n.opts.PeerAddr, n.opts.ClientAddr, n.opts.Build
	o.Network, o.Key, o.WallSkew = n.opts.Network, n.opts.Key, n.opts.WallSkew
	o.Cluster = n.ClusterID
	o.Adopt = n.id.adopt
	o.HasState = n.HasState
	o.OnClock = n.observeClock
	o.OnHello = n.helloed
	o.Logger, o.Metrics = n.log, n.opts.Metrics
	var err error
	if n.peers, err = NewPeers(o); err != nil {
		return err
	}
	n.handleRequests()
	return nil
}

// openReplica opens the stores and the group. Stores that lost what they once
// promised are marked: the next start wipes them.
func (n *Node) openReplica(group uint32) error {
	stores, err := n.opts.OpenStores(group, n.fail)
	if errors.Is(err, ErrRebuild) {
		err = errors.Join(err, n.id.markRebuild(err.Error(), false))
	}
	if err != nil {
		return fmt.Errorf("open the stores of group %d: %w", group, err)
	}
	r := &replica{stores: stores}
	serverID := n.id.get().ServerID
	r.layer = NewStreamLayer(RaftAddr(serverID, n.opts.PeerAddr), func(ctx context.Context, server, addr string) (net.Conn, error) {
		p := transport.Preface{Kind: transport.KindRaft, ClusterID: n.ClusterID(), Group: group}
		return DialRaft(ctx, n.opts.Network, server, addr, p, n.opts.Key)
	})
	o := n.opts.Group
	o.ID, o.Node, o.ServerID = group, n.opts.Name, serverID
	o.Stores, o.Directory = stores.Stores, n.peers
	o.Logger, o.Metrics, o.WallSkew = n.log, n.opts.Metrics, n.opts.WallSkew
	o.Transport = NewRaftTransport(r.layer, n.peers, o.Logger)
	if n.opts.Tracer != nil {
		o.Tracer = n.opts.Tracer(group)
	}
	o.OnLeader = n.leaderChanged
	o.OnFatal = n.fail
	o.OnRebuild = n.mustRebuild
	o.OnStuck = func(err error) { r.stuck.Store(&err) }
	o.OnClockAlarm = func(alarm bool, skew time.Duration) { n.opts.OnClockAlarm(group, alarm, skew) }
	if r.Group, err = OpenGroup(o); err != nil {
		return errors.Join(err, closeTransport(o.Transport), stores.close())
	}
	r.pilot = newPilot(n, r)
	n.leadMu.Lock()
	defer n.leadMu.Unlock()
	n.groups = append(n.groups, r)
	return nil
}

func (s GroupStores) close() error {
	if s.Close == nil {
		return nil
	}
	return s.Close()
}

func closeTransport(t raft.Transport) error {
	if c, ok := t.(raft.WithClose); ok {
		return c.Close()
	}
	return nil
}

// Start lets the node take part: links come up, and it bootstraps or joins.
func (n *Node) Start(h NodeHandler) {
	n.leadMu.Lock()
	n.handler = h
	for _, r := range n.groups {
		if news, some := n.told[r.ID()]; some {
			h.LeaderChanged(r.Group, news.info, news.self)
		}
	}
	n.leadMu.Unlock()
	n.peers.Start(h)
	for _, r := range n.groups {
		n.loops.Go(func() { r.pilot.run(n.ctx) })
	}
	n.loops.Go(n.membershipLoop)
}

func (n *Node) leaderChanged(g *Group, info transport.GroupInfo, self bool) {
	n.leadMu.Lock()
	defer n.leadMu.Unlock()
	n.told[g.ID()] = leaderNews{info, self}
	if n.handler != nil {
		n.handler.LeaderChanged(g, info, self)
	}
	if r := n.replica(g.ID()); r != nil {
		r.pilot.wake()
	}
}

func (n *Node) replica(group uint32) *replica {
	for _, r := range n.groups {
		if r.ID() == group {
			return r
		}
	}
	return nil
}

// Group returns this node's replica, nil if it has none.
func (n *Node) Group(id uint32) *Group {
	if r := n.replica(id); r != nil {
		return r.Group
	}
	return nil
}

// Groups lists this node's replicas, by number.
func (n *Node) Groups() []*Group {
	out := make([]*Group, 0, len(n.groups))
	for _, r := range n.groups {
		out = append(out, r.Group)
	}
	return out
}

// Peers are the links to the other nodes.
func (n *Node) Peers() *Peers { return n.peers }

// Name of the node.
func (n *Node) Name() string { return n.opts.Name }

// ServerID is Raft's name of the node.
func (n *Node) ServerID() string { return n.id.get().ServerID }

// ClusterID is zero until the node belongs to a cluster.
func (n *Node) ClusterID() [16]byte { return n.id.get().ClusterID }

// HasState tells whether any replica ever was part of a cluster.
func (n *Node) HasState() bool {
	for _, r := range n.groups {
		if r.hasState() {
			return true
		}
	}
	return false
}

func (g *Group) hasState() bool { return g.raft.LastIndex() > 0 || len(g.servers()) > 0 }

// Ready tells whether the node can serve: it is a member of every group, and
// every group has a leader.
func (n *Node) Ready() bool {
	for _, r := range n.groups {
		info, _ := r.Leader()
		if info.Leader == "" || !r.member(n.ServerID()) {
			return false
		}
	}
	return true
}

// Done is closed when the node must stop by itself; Err tells why: an error
// that is ErrRemoved, ErrRebuild (start again at once), or anything else that
// no replica may survive. Close it then.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err is nil before Done.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.failure
	default:
		return nil
	}
}

// fail asks the owner to stop the node.
func (n *Node) fail(err error) {
	n.failOnce.Do(func() {
		n.failure = err
		close(n.done)
	})
}

// mustRebuild marks the data folder; the next start wipes the replicas.
func (n *Node) mustRebuild(err error) {
	if errors.Is(err, errDiverged) && n.id.get().Diverged > 0 {
		n.fail(fmt.Errorf("this replica differed again after it was rebuilt, a person has to look: %w", err))
		return
	}
	if saved := n.id.markRebuild(err.Error(), errors.Is(err, errDiverged)); saved != nil {
		err = errors.Join(err, saved)
	}
	n.fail(err)
}

func (n *Node) acceptRaft(nc net.Conn, p transport.Preface) {
	if err := AcceptRaft(nc, p, n.opts.Key, n.ClusterID(), n.id.adopt, n.ServerID()); err != nil {
		n.log.Warn("a raft link was refused", "from", nc.RemoteAddr(), "error", err)
		return
	}
	r := n.replica(p.Group)
	if r == nil {
		n.log.Warn("a raft link for a group that is not here", "group", p.Group)
		nc.Close()
		return
	}
	r.layer.Deliver(nc)
}

func (n *Node) observeClock(node string, wallMillis int64) {
	for _, r := range n.groups {
		r.ObserveClock(node, wallMillis)
	}
}

// helloed: the directory may know more than before.
func (n *Node) helloed(transport.PeerHello) {
	for _, r := range n.groups {
		r.Refresh()
	}
}

// Close hands leaderships over and stops everything, in the reverse order of
// its beginning.
func (n *Node) Close() error {
	var errs []error
	n.closeOnce.Do(func() {
		for _, r := range slices.Backward(n.groups) {
			errs = append(errs, r.Close())
		}
		n.stop()
		n.loops.Wait()
		errs = append(errs, n.peers.Close())
		n.opts.Mux.Handle(transport.KindRaft, nil)
		n.opts.Mux.Handle(transport.KindPeer, nil)
		for _, r := range slices.Backward(n.groups) {
			r.layer.Wait()
			errs = append(errs, r.stores.close())
		}
	})
	return errors.Join(errs...)
}

// staticClusterID is the same on all nodes of a static bootstrap.
func staticClusterID(servers []Server) (id [16]byte) {
	h := sha256.New()
	for _, s := range servers {
		fmt.Fprintf(h, "%q %q\n", s.Node, s.ServerID)
	}
	copy(id[:], h.Sum(nil))
	return id
}

func raftID(s string) raft.ServerID { return raft.ServerID(s) }
