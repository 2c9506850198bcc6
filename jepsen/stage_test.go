//go:build linux

package jepsen

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// running lists the clusters to take down when the run is interrupted.
var running struct {
	sync.Mutex
	clusters map[*nodes.Cluster]bool
}

func TestMain(m *testing.M) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-interrupted
		running.Lock() // held until the end: nothing new is started
		for c := range running.clusters {
			if err := c.Close(); err != nil {
				println(err.Error())
			}
		}
		os.Exit(130)
	}()
	code := m.Run()
	if binary.dir != "" {
		if err := os.RemoveAll(binary.dir); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// binary is the program under test: the one that FERRY_BINARY names, or one
// built once.
var binary struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func ferryBinary() (string, error) {
	binary.once.Do(func() {
		if binary.path = os.Getenv("FERRY_BINARY"); binary.path != "" {
			return
		}
		if binary.dir, binary.err = os.MkdirTemp("", "ferry-binary-"); binary.err != nil {
			return
		}
		binary.path = filepath.Join(binary.dir, "ferry")
		build := exec.Command("go", "build", "-o", binary.path, "github.com/ferrymq/ferrymq/cmd/ferry")
		if text, err := build.CombinedOutput(); err != nil {
			binary.err = errors.Join(err, errors.New(string(text)))
		}
	})
	return binary.path, binary.err
}

// stage is a running cluster with an administrator's connection.
type stage struct {
	t       testing.TB
	ctx     context.Context
	cluster *nodes.Cluster
	admin   *client.Conn
}

// stageMax bounds a test on a stage, if it says nothing else.
const stageMax = 3 * time.Minute

func start(t testing.TB, o nodes.Options) *stage {
	t.Helper()
	return startFor(t, o, stageMax)
}

func startFor(t testing.TB, o nodes.Options, within time.Duration) *stage {
	t.Helper()
	path, err := ferryBinary()
	require.NoError(t, err)
	o.Binary = path
	c, err := nodes.NewCluster(o)
	require.NoError(t, err)
	running.Lock()
	if running.clusters == nil {
		running.clusters = map[*nodes.Cluster]bool{}
	}
	running.clusters[c] = true
	running.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	s := &stage{t: t, ctx: ctx, cluster: c}
	t.Cleanup(func() { cancel(); s.takeDown() })
	require.NoError(t, c.Start(ctx))
	s.admin = s.dial(c.URL(0))
	return s
}

// takeDown ends every process. The folder stays when the test failed.
func (s *stage) takeDown() {
	running.Lock()
	defer running.Unlock()
	delete(running.clusters, s.cluster)
	if !s.t.Failed() {
		if err := s.cluster.Close(); err != nil {
			s.t.Error(err)
		}
		return
	}
	dir, err := s.cluster.CloseKeeping()
	s.t.Logf("data and logs are in %s (%v)", dir, err)
	for _, n := range s.cluster.Nodes() {
		s.t.Logf("end of the log of %s:\n%s", n.Name, n.Tail())
	}
}

func (s *stage) dial(url string, options ...client.Option) *client.Conn {
	s.t.Helper()
	conn, err := client.Dial(s.ctx, url, options...)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			s.t.Logf("close: %v", err)
		}
	})
	return conn
}

// await waits for a condition, for as long as the stage lasts.
func (s *stage) await(met func() bool, what string) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-s.ctx.Done():
			require.NoError(s.t, s.ctx.Err(), "waiting for %s", what)
		case <-tick.C:
		}
	}
}

func (s *stage) kill(nodes ...*nodes.Node) {
	s.t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, n := range nodes {
		all.Go(func() { errs[i] = n.Kill() })
	}
	all.Wait()
	require.NoError(s.t, errors.Join(errs...))
}

// restart starts nodes and waits until the whole cluster is well.
func (s *stage) restart(nodes ...*nodes.Node) {
	s.t.Helper()
	for _, n := range nodes {
		require.NoError(s.t, n.Start())
	}
	require.NoError(s.t, s.cluster.Ready(s.ctx))
	require.NoError(s.t, s.cluster.Settled(s.ctx, s.admin))
}

// leading is who leads the cluster, by its own account, as soon as somebody
// does: a busy machine may have it elect another one without a fault.
func (s *stage) leading() (n *nodes.Node, group client.GroupInfo) {
	s.t.Helper()
	s.await(func() bool {
		var err error
		n, group, err = s.cluster.Leader(s.ctx, s.admin)
		return err == nil
	}, "a leader")
	return n, group
}

// leader is the node that leads.
func (s *stage) leader() *nodes.Node {
	s.t.Helper()
	n, _ := s.leading()
	return n
}

// follower is one of the others.
func (s *stage) follower() *nodes.Node {
	s.t.Helper()
	all := s.cluster.Nodes()
	if first := s.leader(); all[0] == first {
		return all[1]
	}
	return all[0]
}

// sameEverywhere waits until every replica has applied the same index, and
// compares their digests.
func (s *stage) sameEverywhere() []history.Replica {
	s.t.Helper()
	urls := map[string]string{}
	for _, n := range s.cluster.Nodes() {
		urls[n.Name] = "ferry://" + n.Addr
	}
	all, err := replicas(s.ctx, urls)
	require.NoError(s.t, err, "all replicas at one index")
	pairs := int64(len(urls) * (len(urls) - 1) / 2)
	v := check.Digests{Floor: pairs}.Check(&history.Run{Replicas: all})
	require.Equal(s.t, check.Valid, v.Result, v.String())
	return all
}
