package sim

import (
	"log/slog"
	"sync"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/jepsen/sim/disk"
	"github.com/ferrymq/ferrymq/jepsen/sim/network"
)

// clients is the machine that all clients run on.
const clients = "clients"

// World is all the hosts and what lies between them.
type World struct {
	Network *network.Network
	Hosts   []*Host

	trace  *Trace
	logger *slog.Logger
	hub    cluster.MemoryDiscovery
	group  cluster.GroupOptions
	book   book

	mu       sync.Mutex
	problems []string
}

// newWorld makes hosts with empty disks. Nothing runs yet.
func newWorld(d *draw, trace *Trace, logger *slog.Logger) *World {
	w := &World{Network: network.New(d.seed, d.calm), trace: trace, logger: logger, group: d.group}
	for i := range d.nodes {
		name := string(rune('a' + i))
		seed := d.seed ^ uint64(i+1)<<32
		h := &Host{
			Name: name, world: w, meta: &cluster.MemoryMeta{}, disk: disk.New(seed, d.fsync),
			orders: make(chan order), gone: make(chan struct{}),
		}
		h.disk.OnCut(w.book.add)
		w.Hosts = append(w.Hosts, h)
	}
	return w
}

// problem notes something that must never happen, whatever the checkers see.
func (w *World) problem(who, what string) {
	w.trace.Note(who, "PROBLEM: %s", what)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, who+": "+what)
}

// url names every host, beginning with the i-th.
func (w *World) url(i int) string {
	url := "ferry://"
	for k := range w.Hosts {
		if k > 0 {
			url += ","
		}
		url += w.Hosts[(i+k)%len(w.Hosts)].Addr()
	}
	return url
}

// leader is the host that leads and serves, nil if none does.
func (w *World) leader() *Host {
	for _, h := range w.Hosts {
		if h.leads() {
			return h
		}
	}
	return nil
}
