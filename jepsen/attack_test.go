//go:build linux

package jepsen

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/attack"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// attacksAtOnce bounds the attacks under way together; many of them only wait
// for a deadline of the server.
const attacksAtOnce = 8

// Every attack on a real cluster gets its answer in time, on whichever node it
// falls, and an honest client is served after each.
func TestAttacks(t *testing.T) {
	t.Parallel() // waits for deadlines most of the time
	// Patient nodes: a busy machine alone may keep a leader silent for the usual
	// 300 ms, and that is not the attacks' doing.
	s := start(t, nodes.Options{Args: []string{
		"--raft-heartbeat-timeout", "3s", "--raft-election-timeout", "3s", "--raft-leader-lease-timeout", "3s",
	}})
	require.NoError(t, s.admin.CreateQueue(s.ctx, attack.HealthQueue, client.QueueSettings{}))
	_, before, err := s.cluster.Leader(s.ctx, s.admin)
	require.NoError(t, err)
	slots := make(chan struct{}, attacksAtOnce)
	var all sync.WaitGroup
	for i, a := range attack.Table() {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			target := attack.Target{Addr: s.cluster.Nodes()[i%3].Addr, URL: s.cluster.URL(i)}
			ctx, cancel := context.WithTimeout(s.ctx, a.Deadline)
			defer cancel()
			began := time.Now()
			if err := a.Run(ctx, target); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
			t.Logf("%-36s %v", a.Name, time.Since(began).Round(time.Millisecond))
			if err := attack.Healthy(s.ctx, target); err != nil {
				t.Errorf("after %s: %v", a.Name, err)
			}
		})
	}
	all.Wait()
	for _, n := range s.cluster.Nodes() {
		require.True(t, n.Running(), "%s stopped", n.Name)
	}
	_, after, err := s.cluster.Leader(s.ctx, s.admin)
	require.NoError(t, err)
	require.Equal(t, before.Term, after.Term, "an attack moved the leadership")
	s.sameEverywhere()
}
