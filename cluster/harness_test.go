package cluster

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// testLogger is silent unless FERRY_TEST_LOG is set.
func testLogger() *slog.Logger {
	var w io.Writer = io.Discard
	if os.Getenv("FERRY_TEST_LOG") != "" {
		w = os.Stderr
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// eventually waits for a condition, at most a minute: in a bubble that is no
// time at all.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// replicaOf is a group with raft's stores and transport in memory.
type replicaOf struct {
	*Group
	trans  *raft.InmemTransport
	log    *raft.InmemStore
	snaps  raft.SnapshotStore
	mu     sync.Mutex
	news   []leaderNews
	fatal  []error
	wiping []error
	alarms []bool
}

func (r *replicaOf) fatals() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.fatal)
}

func (r *replicaOf) rebuilds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.wiping)
}

type sim struct {
	t        *testing.T
	replicas []*replicaOf
	tweak    func(i int, o *GroupOptions)
}

func simServer(i int) string { return fmt.Sprintf("n%d-%08x", i+1, i+1) }

func simAddr(i int) raft.ServerAddress { return RaftAddr(simServer(i), fmt.Sprintf("n%d:1", i+1)) }

// newSim opens n connected replicas; they are not bootstrapped.
func newSim(t *testing.T, n int, tweak func(i int, o *GroupOptions)) *sim {
	t.Helper()
	s := &sim{t: t, tweak: tweak}
	for i := range n {
		r := &replicaOf{log: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore()}
		s.replicas = append(s.replicas, r)
		_, r.trans = raft.NewInmemTransport(simAddr(i))
		s.open(i)
	}
	s.connect()
	return s
}

func (s *sim) open(i int) {
	r := s.replicas[i]
	o := GroupOptions{
		ID: 7, Node: fmt.Sprintf("n%d", i+1), ServerID: simServer(i),
		Stores:    Stores{Log: r.log, Stable: r.log, Snapshots: r.snaps},
		Transport: r.trans, Logger: testLogger().With("replica", i+1),
		OnLeader: func(_ *Group, info transport.GroupInfo, self bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.news = append(r.news, leaderNews{info, self})
		},
		OnFatal:      func(err error) { r.mu.Lock(); defer r.mu.Unlock(); r.fatal = append(r.fatal, err) },
		OnRebuild:    func(err error) { r.mu.Lock(); defer r.mu.Unlock(); r.wiping = append(r.wiping, err) },
		OnClockAlarm: func(on bool, _ time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.alarms = append(r.alarms, on) },
	}
	if s.tweak != nil {
		s.tweak(i, &o)
	}
	g, err := OpenGroup(o)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Group = g
}

func (s *sim) connect() {
	for i, a := range s.replicas {
		for j, b := range s.replicas {
			if i != j {
				a.trans.Connect(simAddr(j), b.trans)
			}
		}
	}
}

// isolate cuts a replica off in both directions.
func (s *sim) isolate(i int) {
	s.replicas[i].trans.DisconnectAll()
	for j, r := range s.replicas {
		if j != i {
			r.trans.Disconnect(simAddr(i))
		}
	}
}

func (s *sim) bootstrap() {
	s.t.Helper()
	var c raft.Configuration
	for i := range s.replicas {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(simServer(i)), Address: simAddr(i)})
	}
	if err := s.replicas[0].BootstrapConfiguration(c); err != nil {
		s.t.Fatal(err)
	}
}

// leader waits for one that serves.
func (s *sim) leader() *replicaOf {
	s.t.Helper()
	var found *replicaOf
	eventually(s.t, "a leader", func() bool {
		for _, r := range s.replicas {
			if _, self := r.Leader(); self {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

func (s *sim) others(not *replicaOf) (out []*replicaOf) {
	for _, r := range s.replicas {
		if r != not {
			out = append(out, r)
		}
	}
	return out
}

func (s *sim) index(of *replicaOf) int {
	for i, r := range s.replicas {
		if r == of {
			return i
		}
	}
	return -1
}

func (s *sim) close() {
	s.t.Helper()
	for i, r := range s.replicas {
		if err := r.Close(); err != nil {
			s.t.Errorf("close %d: %v", i+1, err)
		}
	}
	// raft's hand-over to a replica that was closed gives up after ten of its
	// transport's time-outs; in a bubble nothing may outlive the test.
	time.Sleep(10 * time.Second)
}

// opening is an entry's worth of commands: a session's record.
func opening(n uint64) []byte {
	var id fsm.SessionID
	for i := range 8 {
		id[i] = byte(n >> (8 * i))
	}
	return fsm.AppendOpen(nil, &fsm.Open{Session: id, Principal: "test"})
}

// propose waits for the outcome of one entry.
func propose(g *Group, n uint64) (fsm.Applied, error) { return g.Propose(opening(n), 1)() }

func (s *sim) mustPropose(r *replicaOf, n uint64) fsm.Applied {
	s.t.Helper()
	a, err := propose(r.Group, n)
	if err != nil {
		s.t.Fatalf("propose: %v", err)
	}
	if len(a.Results) != 1 || a.Results[0].Code != fsm.OK {
		s.t.Fatalf("applied %+v", a)
	}
	return a
}

func sessions(g *Group) (n int) {
	g.View(func(s *fsm.State) { n = s.Sessions().Sessions })
	return n
}

// same waits until all replicas have the leader's state.
func (s *sim) same() {
	s.t.Helper()
	eventually(s.t, "equal replicas", func() bool {
		first, some := s.replicas[0].fsm.digests.last()
		for _, r := range s.replicas[1:] {
			if d, _ := r.fsm.digests.last(); d != first {
				return false
			}
		}
		return some
	})
}
