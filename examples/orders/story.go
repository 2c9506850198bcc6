package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// scene is something that happens to the shop while it works.
type scene struct {
	percent int // of the time in which orders come
	play    func(*show, context.Context) error
}

// fullStory is what `make orders` shows.
func fullStory() []scene {
	return []scene{
		{10, (*show).killFollower},
		{25, (*show).mailOutage},
		{35, (*show).killLeader},
		{50, (*show).tellSpike},
		{53, killService("payment-1")},
		{70, killService("inventory-1")},
		{82, (*show).killLeader},
	}
}

// tell plays the scenes, each when its time has come and the one before is over.
func (s *show) tell(ctx context.Context) error {
	for _, next := range s.o.story {
		at := s.customers.began.Add(s.o.length * time.Duration(next.percent) / 100)
		if err := sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		if err := next.play(s, ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *show) tellSpike(context.Context) error {
	s.screen.say("a spike: %d %% of all orders come now; payment takes %d a second, the rest waits",
		spikePercent, s.o.paymentRate)
	return nil
}

func (s *show) killLeader(ctx context.Context) error {
	leader, _, err := s.settled(ctx)
	if err != nil {
		return err
	}
	return s.killNode(ctx, leader, "the leader")
}

func (s *show) killFollower(ctx context.Context) error {
	_, followers, err := s.settled(ctx)
	if err != nil {
		return err
	}
	return s.killNode(ctx, followers[rand.New(rand.NewPCG(s.o.seed, 1)).IntN(len(followers))], "a follower")
}

// settled waits until the cluster is whole, and tells who leads it.
func (s *show) settled(ctx context.Context) (leader *nodes.Node, followers []*nodes.Node, err error) {
	if err := s.cluster.Settled(ctx, s.admin); err != nil {
		return nil, nil, err
	}
	if leader, _, err = s.cluster.Leader(ctx, s.admin); err != nil {
		return nil, nil, err
	}
	for _, n := range s.cluster.Nodes() {
		if n != leader {
			followers = append(followers, n)
		}
	}
	return leader, followers, nil
}

func (s *show) killNode(ctx context.Context, n *nodes.Node, what string) error {
	pid := n.Pid()
	if err := n.Kill(); err != nil {
		return err
	}
	s.screen.setNode(n.Name, false)
	s.screen.say("%s (%s, process %d) is killed with SIGKILL", n.Name, what, pid)
	if err := sleep(ctx, s.o.away); err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	if err := n.Ready(ctx); err != nil {
		return err
	}
	s.screen.setNode(n.Name, true)
	s.screen.say("%s is back as process %d", n.Name, n.Pid())
	return nil
}

// killService kills a service at work, and starts it again a moment later. What it
// held goes to others once the cluster is sure that it does not come back.
func killService(name string) func(*show, context.Context) error {
	return func(s *show, ctx context.Context) error {
		pid, err := s.crew.kill(name)
		if err != nil {
			return err
		}
		s.screen.say("service %s (process %d) is killed with SIGKILL", name, pid)
		if err := sleep(ctx, s.o.away/2); err != nil {
			return err
		}
		if err := s.crew.start(name); err != nil {
			return err
		}
		s.screen.say("service %s is started again", name)
		return nil
	}
}

// mailOutage breaks the e-mail provider until the breaker has opened, and a
// while longer. It goes on beside the scenes that follow.
func (s *show) mailOutage(ctx context.Context) error {
	s.world.breakMail(true)
	s.screen.say("the e-mail provider fails")
	s.beside.Go(func() {
		defer s.world.breakMail(false)
		if err := s.await(ctx, "the breaker to open", func(q client.QueueInfo) bool {
			return q.Breaker.State == client.BreakerOpen
		}); err != nil {
			s.fail(err)
			return
		}
		if err := sleep(ctx, s.o.outage); err != nil {
			s.fail(err)
			return
		}
		s.world.breakMail(false)
		s.screen.say("the e-mail provider works again; the breaker does not know yet")
		if err := s.closeBreaker(ctx); err != nil {
			s.fail(err)
		}
	})
	return nil
}

// closeBreaker waits until the breaker has found out by itself, or in a short
// show closes it by hand.
func (s *show) closeBreaker(ctx context.Context) error {
	if s.o.impatient {
		if err := s.admin.CloseBreaker(ctx, email); err != nil {
			return err
		}
		s.screen.say("somebody closes the breaker by hand")
	}
	return s.await(ctx, "the breaker to close", func(q client.QueueInfo) bool {
		return q.Breaker.State == client.BreakerClosed
	})
}

// await waits for something to be true of the e-mail queue.
func (s *show) await(ctx context.Context, what string, met func(client.QueueInfo) bool) error {
	for {
		q, err := s.admin.Queue(ctx, email)
		if err == nil && met(q) {
			return nil
		}
		if err := sleep(ctx, pollTime); err != nil {
			return fmt.Errorf("waiting for %s, which is %v: %w", what, q.Breaker.State, err)
		}
	}
}

// sleep waits, and not longer than ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
