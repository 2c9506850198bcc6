package cluster

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// bootstrap forms a cluster if this node may. What keeps two clusters from
// forming is not discovery but this: a node belongs to one cluster id for
// life, and nothing is committed without a majority of those named as voters.
func (n *Node) bootstrap(found []NodeMeta) error {
	id := n.id.get()
	switch {
	case id.Founding != "":
		return n.finishFounding()
	case len(n.opts.Static) > 0:
		return n.bootstrapStatic()
	case n.opts.Expect == 0 || n.HasState() || id.ClusterID != [16]byte{}:
		return nil
	}
	if servers := n.founders(found); servers != nil {
		return n.found(servers)
	}
	return nil
}

// bootstrapStatic does the same on every node: the configuration is given, and
// raft allows equal first entries. A server that is not named joins.
func (n *Node) bootstrapStatic() error {
	own := n.ServerID()
	if !slices.ContainsFunc(n.opts.Static, func(s Server) bool { return s.ServerID == own }) {
		return nil
	}
	id := n.opts.ClusterID
	if id == [16]byte{} {
		id = staticClusterID(n.opts.Static)
	}
	if err := n.id.adopt(id); err != nil {
		n.fail(err)
		return err
	}
	return n.bootstrapGroups(n.opts.Static)
}

// founders are the servers of the new cluster if this node is the one to form
// it: it sees as many as are expected, all expect the same, none of them
// belongs to a cluster or has state, and it has the lowest name.
func (n *Node) founders(found []NodeMeta) []Server {
	servers := []Server{{Node: n.opts.Name, ServerID: n.ServerID(), PeerAddr: n.opts.PeerAddr}}
	for _, m := range found {
		if m.HasState || m.ClusterID != [16]byte{} {
			return nil // there is a cluster: join it
		}
		if int(m.Expect) != n.opts.Expect {
			continue
		}
		servers = append(servers, Server{Node: m.Node, ServerID: m.ServerID, PeerAddr: m.PeerAddr})
	}
	slices.SortFunc(servers, func(a, b Server) int { return compareStrings(a.Node, b.Node) })
	if len(servers) < n.opts.Expect || servers[0].Node != n.opts.Name {
		return nil
	}
	return servers[:n.opts.Expect]
}

// founding is a cluster about to be formed, as the identity keeps it.
type founding struct {
	ClusterID [16]byte
	Servers   []Server
}

// found asks the other founders to keep themselves free, and then writes down
// what it is about to form, so that a crash does not leave half of it. The
// others adopt the cluster id with their first raft link.
func (n *Node) found(servers []Server) error {
	if n.candidate == [16]byte{} {
		n.candidate = newClusterID()
	}
	ctx, cancel := context.WithTimeout(n.ctx, requestTimeout)
	defer cancel()
	q := BootstrapRequest{ClusterID: n.candidate, Node: n.opts.Name}
	for _, s := range servers {
		if _, err := ask[BootstrapRequest, nothing](ctx, n.peers, s.Node, RequestBootstrap, q); err != nil {
			return err
		}
	}
	n.log.Info("forming a cluster", "cluster", hex.EncodeToString(n.candidate[:]), "servers", servers)
	plan, err := json.Marshal(founding{ClusterID: n.candidate, Servers: servers})
	if err != nil {
		return err
	}
	if err := n.id.change(func(id *Identity) { id.Founding = string(plan) }); err != nil {
		return err
	}
	return n.finishFounding()
}

func (n *Node) finishFounding() error {
	var plan founding
	if err := json.Unmarshal([]byte(n.id.get().Founding), &plan); err != nil {
		return err
	}
	if err := n.id.adopt(plan.ClusterID); err != nil {
		return err
	}
	if err := n.bootstrapGroups(plan.Servers); err != nil {
		return err
	}
	return n.id.change(func(id *Identity) { id.Founding = "" })
}

func (n *Node) bootstrapGroups(servers []Server) error {
	var errs []error
	for _, r := range n.groups {
		if !r.hasState() {
			errs = append(errs, r.Bootstrap(servers))
		}
	}
	return errors.Join(errs...)
}

// Bootstrap makes the servers the group's voters. It fails if the group has
// any state.
func (g *Group) Bootstrap(servers []Server) error {
	var c raft.Configuration
	for _, s := range servers {
		c.Servers = append(c.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raftID(s.ServerID), Address: RaftAddr(s.ServerID, s.PeerAddr),
		})
	}
	return g.BootstrapConfiguration(c)
}

// BootstrapConfiguration is Bootstrap for other transports than the node's.
func (g *Group) BootstrapConfiguration(c raft.Configuration) error {
	return g.raft.BootstrapCluster(c).Error()
}

// promise keeps a node without a cluster free for one that is being formed.
type promise struct {
	mu    sync.Mutex
	to    [16]byte
	until time.Time
}

func (p *promise) give(to [16]byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to != [16]byte{} && p.to != to && now.Before(p.until) {
		return false
	}
	p.to, p.until = to, now.Add(bootstrapPromise)
	return true
}

func (n *Node) onBootstrap(_ context.Context, from string, q BootstrapRequest) (nothing, error) {
	switch {
	case n.HasState() || n.ClusterID() != [16]byte{}:
		return nothing{}, transport.Errorf(transport.CodeConflict, "node %s belongs to cluster %x", n.opts.Name, n.ClusterID())
	case from != q.Node || q.ClusterID == [16]byte{}:
		return nothing{}, transport.Errorf(transport.CodeInvalid, "node %s asks for node %q", from, q.Node)
	case !n.promise.give(q.ClusterID, time.Now()):
		return nothing{}, transport.Errorf(transport.CodeConflict, "node %s keeps itself free for another cluster", n.opts.Name)
	}
	return nothing{}, nil
}
