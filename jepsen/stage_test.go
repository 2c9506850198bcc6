package jepsen

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
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

// stage is a running cluster with an administrator's connection, and one to
// each node that stays there.
type stage struct {
	t       testing.TB
	ctx     context.Context
	cluster *nodes.Cluster
	admin   *client.Conn
	local   map[string]*client.Conn
}

// stageMax bounds a test on a stage, besides its traffic.
const stageMax = 3 * time.Minute

func start(t testing.TB, o nodes.Options) *stage {
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
	ctx, cancel := context.WithTimeout(t.Context(), stageMax+*trafficTime)
	s := &stage{t: t, ctx: ctx, cluster: c, local: map[string]*client.Conn{}}
	t.Cleanup(func() { cancel(); s.takeDown() })
	require.NoError(t, c.Start(ctx))
	s.admin = s.dial(c.URL(0))
	for _, n := range c.Nodes() {
		s.local[n.Name] = s.dial("ferry://"+n.Addr, client.WithFollowLeader(false))
	}
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

func (s *stage) kill(nodes []*nodes.Node) {
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
func (s *stage) restart(nodes []*nodes.Node) {
	s.t.Helper()
	for _, n := range nodes {
		require.NoError(s.t, n.Start())
	}
	require.NoError(s.t, s.cluster.Ready(s.ctx))
	require.NoError(s.t, s.cluster.Settled(s.ctx, s.admin))
}

func leader(s *stage) []*nodes.Node {
	n, _, err := s.cluster.Leader(s.ctx, s.admin)
	require.NoError(s.t, err)
	return []*nodes.Node{n}
}

func follower(s *stage) []*nodes.Node {
	first := leader(s)[0]
	for _, n := range s.cluster.Nodes() {
		if n != first {
			return []*nodes.Node{n}
		}
	}
	return nil
}

func everybody(s *stage) []*nodes.Node { return s.cluster.Nodes() }

func namesOf(nodes []*nodes.Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Name)
	}
	return strings.Join(all, "+")
}

// refusal tells that an error says clearly that the cluster could not decide.
func refusal(err error) bool {
	for _, clear := range []error{client.ErrNoLeader, client.ErrTimeout, client.ErrUnknownOutcome, client.ErrBusy} {
		if errors.Is(err, clear) {
			return true
		}
	}
	return false
}
