package sim

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen"
)

// settle is what hashicorp/raft's transport needs to give up a connection
// attempt by itself; no goroutine may outlive the bubble.
const settle = 30 * time.Second

// stage is a world in a bubble, with a client's machine.
type stage struct {
	*World
	t     *testing.T
	ctx   context.Context
	admin *client.Conn
}

func play(t *testing.T, f func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s := &stage{World: NewWorld(slog.New(slog.DiscardHandler), "a", "b", "c"), t: t, ctx: ctx}
		for _, h := range s.Hosts {
			require.NoError(t, h.Start())
		}
		defer s.end()
		s.leader()
		conn, err := client.Dial(ctx, s.URL(0), s.dialer())
		require.NoError(t, err)
		s.admin = conn
		f(s)
	})
}

// end stops everything, so that the bubble can end.
func (s *stage) end() {
	if s.admin != nil {
		require.NoError(s.t, s.admin.Close())
	}
	s.Network.HealAll()
	for _, h := range s.Hosts {
		if h.Running() {
			require.NoError(s.t, h.Stop())
		}
	}
	time.Sleep(settle) // in the bubble: it passes at once
}

func (s *stage) dialer() client.Option { return client.WithDialer(s.Network.Host("clients").Dial) }

// await waits, in the bubble's time, until something is so.
func (s *stage) await(what string, met func() bool) {
	s.t.Helper()
	for !met() {
		require.NoError(s.t, s.ctx.Err(), what)
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *stage) leader() *Host {
	s.t.Helper()
	var found *Host
	s.await("a leader", func() bool {
		for _, h := range s.Hosts {
			if h.Leads() {
				found = h
				return true
			}
		}
		return false
	})
	return found
}

func (s *stage) follower() *Host {
	leader := s.leader()
	for _, h := range s.Hosts {
		if h != leader {
			return h
		}
	}
	return nil
}

// sameEverywhere waits until all replicas are at one index, and compares what
// they are there.
func (s *stage) sameEverywhere() {
	s.t.Helper()
	s.await("one index everywhere", func() bool {
		first := s.Hosts[0].Status().Groups[0]
		for _, h := range s.Hosts[1:] {
			g := h.Status().Groups[0]
			if g.AppliedIndex != first.AppliedIndex {
				return false
			}
			require.Equal(s.t, first.Digest, g.Digest, "%s differs at %d", h.Name, g.AppliedIndex)
		}
		return true
	})
}

// Three nodes elect, publish, fail over and consume: the leader crashes twice,
// a follower once, the leader is cut off once, and in the end all crash at once.
func TestWholeClusterInABubble(t *testing.T) {
	play(t, func(s *stage) {
		require.NoError(t, s.admin.CreateQueue(s.ctx, "work", client.QueueSettings{}))
		h := jepsen.NewHistory()
		traffic, err := jepsen.StartTraffic(s.ctx, s, jepsen.Workload{
			Queue: "work", Producers: 4, Consumers: 4, BodyBytes: 64, Burst: 5, Every: 50 * time.Millisecond,
			Hold: 100 * time.Millisecond, NackEvery: 100, Options: []client.Option{s.dialer()},
		}, h)
		require.NoError(t, err)
		for _, fault := range []func(s *stage){crashLeader, crashFollower, cutLeader, crashLeader, crashAll} {
			time.Sleep(2 * time.Second)
			fault(s)
			h.Mark()
			require.NoError(t, h.AwaitMarked(s.ctx))
		}
		time.Sleep(2 * time.Second)
		require.NoError(t, traffic.StopProducing())
		info, err := h.Drained(s.ctx, s.admin, "work")
		require.NoError(t, err)
		require.NoError(t, traffic.StopConsuming())
		account := jepsen.Judge(h, jepsen.Floors{Confirmed: 3000, Delivered: 3000, Acked: 3000, Redelivered: 20})
		t.Log(account.String())
		require.NoError(t, account.Err())
		require.NoError(t, account.Conserved(info))
		s.sameEverywhere()
	})
}

func crashLeader(s *stage) { crash(s, s.leader()) }

func crashFollower(s *stage) { crash(s, s.follower()) }

func crashAll(s *stage) { crash(s, s.Hosts...) }

// crash ends processes and starts them again some seconds later.
func crash(s *stage, hosts ...*Host) {
	for _, h := range hosts {
		require.NoError(s.t, h.Crash())
	}
	time.Sleep(3 * time.Second)
	for _, h := range hosts {
		require.NoError(s.t, h.Start())
	}
	s.leader()
}

// cutLeader separates the leader from the other nodes, not from the clients:
// it must not confirm anything that the others do not have.
func cutLeader(s *stage) {
	cut := s.leader()
	for _, h := range s.Hosts {
		if h != cut {
			s.Network.Cut(cut.Name, h.Name)
		}
	}
	s.await("another leader", func() bool {
		for _, h := range s.Hosts {
			if h != cut && h.Leads() {
				return true
			}
		}
		return false
	})
	time.Sleep(3 * time.Second)
	s.Network.HealAll()
}
