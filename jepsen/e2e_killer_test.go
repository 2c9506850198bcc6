//go:build linux

package jepsen

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// killPause is how long a whole cluster is left in peace, and up to as long
	// again; killDown the same of a node that is dead.
	killPause = 500 * time.Millisecond
	killDown  = 200 * time.Millisecond
)

// killer kills the leader of a stage again and again: it waits until another
// node leads, starts the dead one, and waits until the cluster is whole.
type killer struct {
	*stage

	mu  sync.Mutex
	now toll
}

// toll is how many leaders were killed: it was begun, they were gone, and
// another node led.
type toll struct{ kills, deaths, failovers int }

func newKiller(s *stage) *killer { return &killer{stage: s} }

// run is called from the test's own goroutine, and ends with a whole cluster.
func (k *killer) run(over <-chan struct{}) {
	k.t.Helper()
	for {
		select {
		case <-over:
			k.t.Logf("%d leaders killed", k.toll().kills)
			return
		case <-time.After(killPause + rand.N(killPause)):
		}
		k.failOver()
	}
}

// failOver is one kill and what has to come of it.
func (k *killer) failOver() {
	k.t.Helper()
	victim, before := k.leading()
	k.count(func(n *toll) { n.kills++ })
	k.kill(victim)
	k.count(func(n *toll) { n.deaths++ })
	killed := time.Now()
	k.await(func() bool {
		n, group, err := k.cluster.Leader(k.ctx, k.admin)
		return err == nil && n != victim && group.Term > before.Term
	}, "another leader")
	k.count(func(n *toll) { n.failovers++ })
	k.t.Logf("killed %s: another leads after %v", victim.Name, time.Since(killed).Round(time.Millisecond))
	<-time.After(killDown + rand.N(killDown))
	k.restart(victim)
}

func (k *killer) count(add func(*toll)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	add(&k.now)
}

func (k *killer) toll() toll {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}
