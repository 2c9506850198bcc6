package main

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// view is what the screen shows.
type view struct {
	queues map[string]client.QueueInfo
	leader string
	placed int
	world  effects
}

// watch draws the screen until ctx ends, and says when the leader or the breaker
// changes.
func (s *show) watch(ctx context.Context) {
	breaker, leader := client.BreakerClosed, ""
	for sleep(ctx, drawTime) == nil {
		v, err := s.view(ctx, client.Stale())
		if err != nil {
			continue // between two nodes, say: the next time
		}
		if now := v.queues[email].Breaker.State; now != breaker {
			breaker = now
			s.screen.say("the breaker of e-mail is %v", now)
		}
		if v.leader != "" && v.leader != leader {
			leader = v.leader
			s.screen.say("%s leads", leader)
		}
		s.screen.draw(v)
	}
}

// view asks for what the screen shows. With Stale it asks whatever node it is
// connected to, which may be a little behind, but answers without a leader too.
func (s *show) view(ctx context.Context, opts ...client.ReadOption) (v view, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if v.queues, err = look(ctx, s.admin, opts...); err != nil {
		return v, err
	}
	c, err := s.admin.Cluster(ctx, opts...)
	if err != nil {
		return v, err
	}
	if len(c.Groups) > 0 {
		v.leader = c.Groups[0].Leader
	}
	v.placed, v.world = len(s.customers.confirmed()), s.world.effects()
	return v, nil
}
