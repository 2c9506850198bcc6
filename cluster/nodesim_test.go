package cluster

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
)

// host is a node's machine: what survives its process.
type host struct {
	name  string
	meta  *MemoryMeta
	log   *raft.InmemStore
	snaps raft.SnapshotStore
	wiped int

	*Node
	mux    *transport.Mux
	served chan error
	events *recorder
}

// recorder is the owner of a node.
type recorder struct {
	mu     sync.Mutex
	links  map[string]int // 1 up, 0 down
	order  []string
	frames []transport.Frame
	broken []string
	leader map[uint32]leaderNews
	hold   chan struct{} // PeerFrame waits until it is closed; nil: never
}

func (r *recorder) note(what, node string, change int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order = append(r.order, what+" "+node)
	r.links[node] += change
	if n := r.links[node]; n < 0 || n > 1 {
		r.broken = append(r.broken, fmt.Sprintf("%s %s: %d links", what, node, n))
	}
}

// changes lists what came up and went down.
func (r *recorder) changes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

func (r *recorder) PeerUp(node string)   { r.note("up", node, 1) }
func (r *recorder) PeerDown(node string) { r.note("down", node, -1) }

func (r *recorder) PeerFrame(node string, f transport.Frame) {
	if r.hold != nil {
		<-r.hold
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.links[node] != 1 {
		r.broken = append(r.broken, "a frame of "+node+" while its link is down")
	}
	r.frames = append(r.frames, f)
}

func (r *recorder) LeaderChanged(g *Group, info transport.GroupInfo, self bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leader[g.ID()] = leaderNews{info, self}
}

type nodeSim struct {
	t       *testing.T
	network *memory.Network
	hub     *MemoryDiscovery
	hosts   map[string]*host
	tweak   func(name string, o *NodeOptions)
}

func newNodeSim(t *testing.T, tweak func(name string, o *NodeOptions)) *nodeSim {
	return &nodeSim{t: t, network: memory.NewNetwork(), hub: &MemoryDiscovery{}, hosts: make(map[string]*host), tweak: tweak}
}

// add makes a host with an empty disk and starts its node.
func (s *nodeSim) add(name string) *host {
	s.t.Helper()
	h := &host{name: name, meta: &MemoryMeta{}, log: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore()}
	s.hosts[name] = h
	s.start(h)
	return h
}

func (s *nodeSim) start(h *host) {
	s.t.Helper()
	if err := s.tryStart(h); err != nil {
		s.t.Fatal(err)
	}
}

func (s *nodeSim) tryStart(h *host) error {
	network := s.network.Host(h.name)
	l, err := network.Listen(h.name + ":7700")
	if err != nil {
		return err
	}
	h.mux = transport.NewMux(l, transport.MuxOptions{})
	h.events = &recorder{links: make(map[string]int), leader: make(map[uint32]leaderNews)}
	o := NodeOptions{
		Name: h.name, Meta: h.meta, Mux: h.mux, Network: network,
		PeerAddr: h.name + ":7700", ClientAddr: "client." + h.name + ":7700",
		OpenStores: func(uint32, func(error)) (GroupStores, error) {
			return GroupStores{Stores: Stores{Log: h.log, Stable: h.log, Snapshots: h.snaps}}, nil
		},
		WipeStores: func(uint32) error {
			h.wiped++
			h.log, h.snaps = raft.NewInmemStore(), raft.NewInmemSnapshotStore()
			return nil
		},
		Discovery: s.hub.Of(h.name), Expect: 3,
		Logger: testLogger(),
	}
	if s.tweak != nil {
		s.tweak(h.name, &o)
	}
	h.served = make(chan error, 1)
	go func(m *transport.Mux, served chan error) { served <- m.Serve() }(h.mux, h.served)
	h.Node, err = NewNode(o)
	if err != nil {
		return errors.Join(err, h.mux.Close())
	}
	h.Node.Start(h.events)
	return nil
}

// stop ends a node in order.
func (s *nodeSim) stop(h *host) {
	s.t.Helper()
	if h.Node == nil {
		return
	}
	if err := h.Node.Close(); err != nil {
		s.t.Errorf("close %s: %v", h.name, err)
	}
	if err := h.mux.Close(); err != nil {
		s.t.Errorf("close the port of %s: %v", h.name, err)
	}
	<-h.served
	h.events.mu.Lock()
	for _, b := range h.events.broken {
		s.t.Errorf("%s: %s", h.name, b)
	}
	h.events.mu.Unlock()
	h.Node = nil
}

func (s *nodeSim) close() {
	s.t.Helper()
	s.network.HealAll()
	for _, name := range s.names() {
		s.stop(s.hosts[name])
	}
	time.Sleep(2 * raftIOTimeout) // what raft's transport gives up by itself
}

func (s *nodeSim) names() []string {
	var out []string
	for name := range s.hosts {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// leader waits for one that serves.
func (s *nodeSim) leader() *host {
	s.t.Helper()
	var found *host
	eventually(s.t, "a leader", func() bool {
		for _, h := range s.hosts {
			if h.Node == nil {
				continue
			}
			if _, self := h.Group(0).Leader(); self {
				found = h
				return true
			}
		}
		return false
	})
	return found
}

func (s *nodeSim) others(not *host) (out []*host) {
	for _, name := range s.names() {
		if h := s.hosts[name]; h != not && h.Node != nil {
			out = append(out, h)
		}
	}
	return out
}

// voters of the group as a node sees them, by name.
func voters(n *Node) (out []string) {
	for _, s := range n.Group(0).servers() {
		if s.Suffrage == raft.Voter {
			out = append(out, nodeOf(s.ID))
		}
	}
	slices.Sort(out)
	return out
}

func (s *nodeSim) formed(names ...string) *host {
	s.t.Helper()
	for _, name := range names {
		s.add(name)
	}
	l := s.leader()
	eventually(s.t, "all are ready", func() bool {
		for _, h := range s.hosts {
			if !h.Ready() || !slices.Equal(voters(h.Node), names) {
				return false
			}
		}
		return true
	})
	return l
}
