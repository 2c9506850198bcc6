package sim

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/jepsen/sim/disk"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	// abandonTimeout is how long a process that failed may take to close in
	// order; the ferry program has the same.
	abandonTimeout = 3 * time.Second
	// againAfter is when a process that ended by itself is started again.
	againAfter = time.Second
)

// Host is a machine. One goroutine, run, owns its process and starts and ends
// it; orders reach it over a channel.
type Host struct {
	Name string

	world   *World
	meta    *cluster.MemoryMeta // durable at once
	disk    *disk.Disk
	wanted  bool         // the process is to run; run's
	skew    atomic.Int64 // of its wall clock
	rebuilt atomic.Int64 // how often it began anew with an empty disk
	exits   atomic.Int64 // how often the process ended by itself

	life   atomic.Pointer[life] // nil: no process runs
	orders chan order
	gone   chan struct{} // closed when run has ended
}

// order is what a host's goroutine is asked to do.
type order struct {
	do   func()
	done chan struct{}
}

// Addr is the address for everybody.
func (h *Host) Addr() string { return h.Name + ":7700" }

// run is the machine: it starts the process again when it ended by itself.
func (h *Host) run(end <-chan struct{}) {
	defer close(h.gone)
	again := time.NewTimer(0)
	again.Stop()
	for {
		var failed <-chan struct{}
		if l := h.life.Load(); l != nil {
			failed = l.cluster.Done()
		}
		select {
		case o := <-h.orders:
			again.Stop()
			o.do()
			if h.wanted && !h.start() {
				again.Reset(againAfter)
			}
			close(o.done)
		case <-failed:
			again.Reset(h.exit())
		case <-again.C:
			if !h.start() {
				again.Reset(againAfter)
			}
		case <-end:
			h.kill(false)
			return
		}
	}
}

// tell has the host do something and waits for it.
func (h *Host) tell(do func()) {
	o := order{do: do, done: make(chan struct{})}
	h.orders <- o
	<-o.done
}

// start starts the process; run's.
func (h *Host) start() bool {
	if h.life.Load() != nil {
		return true
	}
	l, err := h.begin()
	if err != nil {
		h.world.trace.Note(h.Name, "does not start: %v", err)
		return false
	}
	h.life.Store(l)
	h.world.trace.Note(h.Name, "runs")
	return true
}

// kill ends the process from one moment to the next; run's. Without power
// nobody is told, and what is not synced is at risk.
func (h *Host) kill(power bool) {
	h.wanted = false
	l := h.life.Load()
	if l == nil {
		return
	}
	h.life.Store(nil)
	l.network.dead.Store(true)
	if power {
		h.silence()
	} else {
		h.world.Network.Crash(h.Name)
	}
	h.disk.Crash(power)
	h.sweep(l)
}

// silence cuts a machine off.
func (h *Host) silence() {
	for _, x := range h.world.Hosts {
		if x != h {
			h.world.Network.Cut(h.Name, x.Name)
		}
	}
	h.world.Network.Cut(h.Name, clients)
}

// boot gives a machine its power back; run's. Who still holds a connection of
// before learns now that it is gone.
func (h *Host) boot() {
	h.world.Network.Crash(h.Name)
	for _, x := range h.world.Hosts {
		h.world.Network.Heal(h.Name, x.Name)
	}
	h.world.Network.Heal(h.Name, clients)
}

// sweep stops what is left of a process that nobody sees any more.
func (h *Host) sweep(l *life) {
	if err := l.stop(); err != nil {
		h.world.logger.Debug("swept up", "node", h.Name, "error", err)
	}
}

// exit ends a process that cannot go on, as the ferry program does: it closes
// in order, for a while. It returns when to start again.
func (h *Host) exit() time.Duration {
	l := h.life.Load()
	reason := l.cluster.Err()
	h.world.trace.Note(h.Name, "exits: %v", reason)
	h.exits.Add(1)
	h.life.Store(nil)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		h.sweep(l)
	}()
	t := time.NewTimer(abandonTimeout)
	defer t.Stop()
	select {
	case <-closed:
	case <-t.C:
	}
	l.network.dead.Store(true)
	h.world.Network.Crash(h.Name)
	h.disk.Crash(false)
	<-closed
	if isRebuild(reason) {
		return 0
	}
	return againAfter
}

func (h *Host) leads() bool {
	l := h.life.Load()
	if l == nil {
		return false
	}
	_, self := l.cluster.Group(0).Leader()
	return self
}

// status is how the host sees its group; false while it does not run.
func (h *Host) status() (transport.GroupStatus, bool) {
	l := h.life.Load()
	if l == nil {
		return transport.GroupStatus{}, false
	}
	return l.cluster.Status().Groups[0], true
}

// String is for traces.
func (h *Host) String() string {
	if h.leads() {
		return fmt.Sprintf("%s, which leads", h.Name)
	}
	return h.Name
}
