package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// membershipLoop reads discovery, bootstraps or joins, and finds out when this
// node was removed.
func (n *Node) membershipLoop() {
	tick := time.NewTicker(n.opts.MembershipEvery)
	defer tick.Stop()
	var changed <-chan struct{}
	if n.opts.Discovery != nil {
		changed = n.opts.Discovery.Changed()
	}
	m := membership{node: n, checked: make(map[uint32]time.Time), leader: make(map[uint32]time.Time)}
	for {
		m.round()
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
	}
}

// membership is what membershipLoop remembers between its rounds.
type membership struct {
	node     *Node
	said     NodeMeta             // what discovery was told last
	checked  map[uint32]time.Time // when a group's leader was last asked
	leader   map[uint32]time.Time // when a leader was last known
	complain time.Time            // when a mistake of discovery was last logged
}

const complainEvery = 30 * time.Second

func (m *membership) round() {
	n := m.node
	m.publish()
	found := m.discover()
	for _, s := range n.opts.Static {
		n.peers.Know(s.Node, s.ServerID, s.PeerAddr, "")
	}
	for _, r := range n.groups {
		for _, s := range r.servers() {
			n.peers.Know(nodeOf(s.ID), "", m.firstAddr(s), "")
		}
	}
	if err := n.bootstrap(found); err != nil && n.ctx.Err() == nil {
		m.warn("the cluster cannot form yet", "error", err)
	}
	for _, r := range n.groups {
		m.check(r)
		if err := n.giveUp(r); err != nil && n.ctx.Err() == nil {
			m.warn("this replica cannot follow, and may not be rebuilt yet", "group", r.ID(), "error", err)
		}
	}
}

// firstAddr is what raft remembers of a server of which nothing else is known.
func (m *membership) firstAddr(s raft.Server) string {
	if x := m.node.peers.find(nodeOf(s.ID)); x != nil && x.where().peerAddr != "" {
		return ""
	}
	return hostPort(s.Address)
}

// publish tells discovery about this node when it has changed.
func (m *membership) publish() {
	n := m.node
	if n.opts.Discovery == nil {
		return
	}
	id := n.id.get()
	meta := NodeMeta{
		Node: n.opts.Name, ServerID: id.ServerID, PeerAddr: n.opts.PeerAddr, ClientAddr: n.opts.ClientAddr,
		ClusterID: id.ClusterID, HasState: n.HasState(), Expect: uint32(n.opts.Expect),
	}
	if meta == m.said {
		return
	}
	b, err := meta.Encode()
	if err == nil {
		err = n.opts.Discovery.UpdateMeta(b)
	}
	if err != nil {
		m.warn("discovery was not told of this node", "error", err)
		return
	}
	m.said = meta
}

// discover reads discovery: every node of this cluster, or of none yet, is
// known from now on.
func (m *membership) discover() []NodeMeta {
	n := m.node
	if n.opts.Discovery == nil {
		return nil
	}
	var metas []NodeMeta
	for _, f := range n.opts.Discovery.Members() {
		if len(f.Meta) == 0 {
			continue // known by name only, so far
		}
		meta, err := DecodeNodeMeta(f.Meta)
		if err != nil {
			m.warn("a node says of itself what cannot be read", "error", err)
			continue
		}
		if meta.Node == n.opts.Name || !f.Alive {
			continue
		}
		own := n.ClusterID()
		if meta.ClusterID != own && meta.ClusterID != [16]byte{} && own != [16]byte{} {
			m.warn("a node of another cluster is in this one's gossip", "other", meta.Node, "addr", meta.PeerAddr)
			continue
		}
		n.peers.Know(meta.Node, meta.ServerID, meta.PeerAddr, meta.ClientAddr)
		metas = append(metas, meta)
	}
	return metas
}

func (m *membership) warn(msg string, args ...any) {
	if time.Since(m.complain) >= complainEvery {
		m.complain = time.Now()
		m.node.log.Warn(msg, args...)
	}
}

// check asks the group's leader to take this node in when it is no member,
// once after a start (its address may have changed), and whether it still is
// one when no leader was heard of for a while.
func (m *membership) check(r *replica) {
	now := time.Now()
	if info, _ := r.Leader(); info.Leader != "" {
		m.leader[r.ID()] = now
	}
	known, asked := m.leader[r.ID()], m.checked[r.ID()]
	if known.IsZero() {
		m.leader[r.ID()], known = now, now
	}
	member := r.member(m.node.ServerID())
	due := !member || asked.IsZero() || now.Sub(known) > leaderlessMax
	if !due || now.Sub(asked) < joinEvery || m.node.Err() != nil {
		return
	}
	if m.node.join(r) || !asked.IsZero() || !member {
		m.checked[r.ID()] = now
	}
}

// join asks one node after the other; only the leader answers. It returns
// whether there was an answer.
func (n *Node) join(r *replica) bool {
	ctx, cancel := context.WithTimeout(n.ctx, requestTimeout)
	defer cancel()
	q := JoinRequest{
		Group: r.ID(), Node: n.opts.Name, ServerID: n.ServerID(),
		PeerAddr: n.opts.PeerAddr, HasState: r.hasState(),
	}
	for _, node := range n.candidates(r) {
		_, err := ask[JoinRequest, JoinReply](ctx, n.peers, node, RequestJoin, q)
		switch {
		case err == nil:
			return true
		case errors.Is(err, transport.CodeFenced):
			n.removed()
			return true
		}
		n.log.Debug("asked to join", "group", r.ID(), "through", node, "answer", err)
	}
	return false
}

// candidates are the linked nodes, the leader first.
func (n *Node) candidates(r *replica) []string {
	var out []string
	info, _ := r.Leader()
	for _, x := range n.peers.Nodes() {
		switch {
		case x.Node == info.Leader && x.Node != n.opts.Name:
			out = append([]string{x.Node}, out...)
		case n.peers.Up(x.Node):
			out = append(out, x.Node)
		}
	}
	return out
}

// removed marks the data folder and stops the node.
func (n *Node) removed() {
	err := error(ErrRemoved)
	if saved := n.id.markRemoved(); saved != nil {
		err = errors.Join(err, saved)
	}
	n.log.Error("this node was removed from the cluster")
	n.fail(err)
}

// member tells whether the server is in the latest configuration.
func (g *Group) member(serverID string) bool {
	for _, s := range g.servers() {
		if string(s.ID) == serverID {
			return true
		}
	}
	return false
}

// onJoin is the leader's side: a stranger becomes a non-voter, which autopilot
// promotes when it has caught up. A stranger with state of this group was a
// member once, and somebody removed it.
func (n *Node) onJoin(ctx context.Context, from string, q JoinRequest) (JoinReply, error) {
	r := n.replica(q.Group)
	if r == nil {
		return JoinReply{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	if from != q.Node || nodeOf(raftID(q.ServerID)) != q.Node || q.PeerAddr == "" {
		return JoinReply{}, transport.Errorf(transport.CodeInvalid, "node %s asks for node %q, server %q", from, q.Node, q.ServerID)
	}
	if err := r.Verify(ctx); err != nil { // a deposed leader must not call anybody removed
		return JoinReply{}, err
	}
	addr := RaftAddr(q.ServerID, q.PeerAddr)
	for _, s := range r.servers() {
		if string(s.ID) == q.ServerID {
			return JoinReply{Voter: s.Suffrage == raft.Voter}, r.readdress(s, addr)
		}
	}
	if q.HasState {
		return JoinReply{}, transport.Errorf(transport.CodeFenced, "server %s was removed from group %d", q.ServerID, q.Group)
	}
	n.log.Info("a server joins as a non-voter", "group", q.Group, "server", q.ServerID, "addr", q.PeerAddr)
	return JoinReply{}, configured(r.raft.AddNonvoter(raftID(q.ServerID), addr, 0, requestTimeout))
}

// readdress moves a member that listens elsewhere now.
func (g *Group) readdress(s raft.Server, addr raft.ServerAddress) error {
	if s.Address == addr {
		return nil
	}
	if s.Suffrage == raft.Voter {
		return configured(g.raft.AddVoter(s.ID, addr, 0, requestTimeout))
	}
	return configured(g.raft.AddNonvoter(s.ID, addr, 0, requestTimeout))
}

// configured turns the answer to a change of configuration into an error of
// the protocol. As with any entry, one without an index was never appended.
func configured(f raft.IndexFuture) error {
	err := f.Error()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return transport.Errorf(transport.CodeNotLeader, "%v", err)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return transport.Errorf(transport.CodeBusy, "another change of the configuration is not committed yet")
	}
	return transport.Errorf(transport.CodeUnknownOutcome, "%v", err)
}
