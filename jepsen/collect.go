//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// replicasPoll is how often replicas are compared while they catch up.
const replicasPoll = 50 * time.Millisecond

// replicas waits until every node has applied the same index, and tells what
// each of them holds there, as it says itself.
func replicas(ctx context.Context, urls map[string]string) ([]history.Replica, error) {
	conns := map[string]*client.Conn{}
	defer func() {
		for _, c := range conns {
			c.Close() // it held nothing
		}
	}()
	for name, url := range urls {
		c, err := client.Dial(ctx, url, client.WithFollowLeader(false), client.WithName("collector"))
		if err != nil {
			return nil, fmt.Errorf("ask %s for its queues: %w", name, err)
		}
		conns[name] = c
	}
	tick := time.NewTicker(replicasPoll)
	defer tick.Stop()
	for {
		all, err := atOneIndex(ctx, conns)
		if err == nil {
			return all, nil
		}
		select {
		case <-ctx.Done():
			return all, errors.Join(err, ctx.Err())
		case <-tick.C:
		}
	}
}

// atOneIndex reads every replica between two looks at its applied index. All
// of them have to be the same.
func atOneIndex(ctx context.Context, conns map[string]*client.Conn) ([]history.Replica, error) {
	var all []history.Replica
	for name, c := range conns {
		before, err := groupOf(ctx, c, name)
		if err != nil {
			return all, err
		}
		r := history.Replica{Node: name, Applied: before.AppliedIndex, Digest: before.Digest}
		for q, err := range c.Queues(ctx, "", client.Stale()) {
			if err != nil {
				return all, fmt.Errorf("queues of %s: %w", name, err)
			}
			r.Queues = append(r.Queues, workload.QueueOf(q))
		}
		after, err := groupOf(ctx, c, name)
		if err != nil {
			return all, err
		}
		all = append(all, r)
		if after.AppliedIndex != before.AppliedIndex || r.Applied != all[0].Applied {
			return all, fmt.Errorf("%s is at %d, %s at %d", name, after.AppliedIndex, all[0].Node, all[0].Applied)
		}
	}
	return all, nil
}

func groupOf(ctx context.Context, c *client.Conn, name string) (client.GroupInfo, error) {
	info, err := c.Cluster(ctx, client.Stale())
	switch {
	case err != nil:
		return client.GroupInfo{}, fmt.Errorf("ask %s: %w", name, err)
	case info.Node != name:
		return client.GroupInfo{}, fmt.Errorf("%s answered for %s", info.Node, name)
	case len(info.Groups) == 0:
		return client.GroupInfo{}, fmt.Errorf("%s knows of no group", name)
	}
	return info.Groups[0], nil
}
