package cluster

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	pilotUpdateEvery    = 500 * time.Millisecond
	pilotReconcileEvery = time.Second
	pilotStableFor      = 2 * time.Second // healthy for so long before it is promoted
	pilotContactMax     = 2 * time.Second
	pilotTrailingMax    = 1024 // entries behind the leader and still healthy
)

// pilot runs raft-autopilot while this node leads the group: it promotes
// non-voters that have caught up. It never removes anybody. Its rounds of
// statistics are also what replicas' digests are compared by.
type pilot struct {
	node *Node
	r    *replica
	auto *autopilot.Autopilot
	woke chan struct{}

	mu    sync.Mutex
	stats map[string]StatsReply // by server id, of the last round
	state *autopilot.State      // of the last round

	stuck uint64 // of unstick; autopilot's goroutine's
}

func newPilot(n *Node, r *replica) *pilot {
	p := &pilot{node: n, r: r, woke: make(chan struct{}, 1)}
	p.auto = autopilot.New(r.raft, p,
		autopilot.WithLogger(NewHCLogger(n.log.With("group", r.ID()))),
		autopilot.WithPromoter(newPromoter()),
		autopilot.WithUpdateInterval(pilotUpdateEvery),
		autopilot.WithReconcileInterval(pilotReconcileEvery))
	return p
}

func (p *pilot) wake() {
	select {
	case p.woke <- struct{}{}:
	default:
	}
}

// run starts and stops autopilot with leadership.
func (p *pilot) run(ctx context.Context) {
	running := false
	defer func() {
		if running {
			<-p.auto.Stop()
		}
	}()
	for {
		_, self := p.r.Leader()
		switch {
		case self && !running:
			p.auto.Start(ctx)
			running = true
		case !self && running:
			<-p.auto.Stop()
			running = false
			p.keep(nil, nil)
		}
		select {
		case <-p.woke:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pilot) keep(stats map[string]StatsReply, state *autopilot.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats, p.state = stats, state
}

// AutopilotConfig implements autopilot.ApplicationIntegration.
func (p *pilot) AutopilotConfig() *autopilot.Config {
	return &autopilot.Config{
		CleanupDeadServers:      false, // only a person removes a server
		LastContactThreshold:    pilotContactMax,
		MaxTrailingLogs:         pilotTrailingMax,
		ServerStabilizationTime: pilotStableFor,
	}
}

// NotifyState implements autopilot.ApplicationIntegration.
func (p *pilot) NotifyState(s *autopilot.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
}

// KnownServers implements autopilot.ApplicationIntegration: the servers of the
// configuration. One counts as alive while the link to its node is up and is
// that server's.
func (p *pilot) KnownServers() map[raft.ServerID]*autopilot.Server {
	out := make(map[raft.ServerID]*autopilot.Server)
	for _, s := range p.r.servers() {
		status := autopilot.NodeFailed
		if p.node.alive(s.ID) {
			status = autopilot.NodeAlive
		}
		out[s.ID] = &autopilot.Server{
			ID: s.ID, Name: nodeOf(s.ID), Address: s.Address, NodeStatus: status,
			RaftVersion: raft.ProtocolVersionMax, IsLeader: string(s.ID) == p.r.ServerID(),
		}
	}
	return out
}

// alive tells whether a server's process is connected to this node.
func (n *Node) alive(id raft.ServerID) bool {
	if string(id) == n.ServerID() {
		return true
	}
	l := n.peers.link(nodeOf(id))
	return l != nil && l.hello.ServerID == string(id)
}

// FetchServerStats implements autopilot.ApplicationIntegration.
func (p *pilot) FetchServerStats(ctx context.Context, servers map[raft.ServerID]*autopilot.Server) map[raft.ServerID]*autopilot.ServerStats {
	replies := p.ask(ctx, servers)
	p.mu.Lock()
	p.stats = replies
	p.mu.Unlock()
	p.compareDigests(ctx, replies)
	p.stuck = p.r.unstick(p.stuck)
	out := make(map[raft.ServerID]*autopilot.ServerStats, len(replies))
	for id, s := range replies {
		contact := time.Duration(s.LastContactMs) * time.Millisecond
		if s.LastContactMs < 0 {
			contact = math.MaxInt64
		}
		out[raftID(id)] = &autopilot.ServerStats{LastContact: contact, LastTerm: s.LastTerm, LastIndex: s.LastIndex}
	}
	return out
}

// ask asks all servers at once; who does not answer in time is left out.
func (p *pilot) ask(ctx context.Context, servers map[raft.ServerID]*autopilot.Server) map[string]StatsReply {
	var (
		mu  sync.Mutex
		out = make(map[string]StatsReply, len(servers))
		wg  sync.WaitGroup
	)
	for id, s := range servers {
		if s.NodeStatus != autopilot.NodeAlive {
			continue
		}
		wg.Go(func() {
			r, err := ask[StatsRequest, StatsReply](ctx, p.node.peers, nodeOf(id), RequestStats, StatsRequest{Group: p.r.ID()})
			if err != nil || r.ServerID != string(id) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[r.ServerID] = r
		})
	}
	wg.Wait()
	return out
}

// RemoveFailedServer implements autopilot.ApplicationIntegration. It is never
// called: CleanupDeadServers is off.
func (p *pilot) RemoveFailedServer(s *autopilot.Server) {
	p.node.log.Warn("autopilot wanted to remove a server; only a person does", "server", s.ID)
}

// health is what the last round says of a server; ok is false when there was none.
func (p *pilot) health(serverID string) (healthy bool, stats StatsReply, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats, ok = p.stats[serverID]
	if p.state != nil {
		if s := p.state.Servers[raftID(serverID)]; s != nil {
			healthy = s.Health.Healthy
		}
	}
	return healthy, stats, ok
}

// members describes the group's servers as the leader sees them; on another
// node, what is known there.
func (p *pilot) members() []transport.MemberInfo {
	var out []transport.MemberInfo
	leader, _ := p.r.Leader()
	for _, s := range p.r.servers() {
		node := nodeOf(s.ID)
		healthy, stats, known := p.health(string(s.ID))
		m := transport.MemberInfo{
			Node: node, ServerID: string(s.ID), Addr: hostPort(s.Address), ClientAddr: p.node.peers.ClientAddr(node),
			Voter: s.Suffrage == raft.Voter, Leader: node == leader.Leader && p.node.alive(s.ID),
			Healthy: healthy, LastContactMs: -1,
		}
		if known {
			m.LastIndex, m.LastContactMs = stats.LastIndex, stats.LastContactMs
		} else if string(s.ID) == p.r.ServerID() {
			m.LastIndex, m.Healthy = p.r.raft.LastIndex(), leader.Leader != ""
		} else {
			m.Healthy = p.node.alive(s.ID)
		}
		out = append(out, m)
	}
	return out
}
