package store

import (
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// TestRaftRunsOnTheStores runs a real single-voter raft through bootstrap,
// commands, a snapshot, restarts, and a kill.
func TestRaftRunsOnTheStores(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fsm := &counter{}
		r := startRaft(t, s, fsm, true)
		const n = 40
		for range n {
			require.NoError(t, r.Apply([]byte("x"), time.Second).Error())
		}
		require.NoError(t, r.Snapshot().Error())
		for range n {
			require.NoError(t, r.Apply([]byte("x"), time.Second).Error())
		}
		killed := o
		killed.Dir = crash(t, o.Dir)
		require.NoError(t, r.Shutdown().Error())
		require.NoError(t, s.Close())

		for _, o := range []Options{o, o, killed} {
			s = open(t, o)
			fsm = &counter{}
			r = startRaft(t, s, fsm, false)
			require.NoError(t, r.Barrier(time.Minute).Error())
			require.Equal(t, 2*n, fsm.n)
			require.NoError(t, r.Shutdown().Error())
			require.NoError(t, s.Close())
		}
	})
}

func startRaft(t *testing.T, s *Store, fsm raft.FSM, bootstrap bool) *raft.Raft {
	t.Helper()
	conf := raft.DefaultConfig()
	conf.LocalID = "a"
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = 100*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
	conf.LogOutput = io.Discard
	conf.TrailingLogs = 5
	addr, trans := raft.NewInmemTransport("a")
	state, err := s.HasState()
	require.NoError(t, err)
	require.Equal(t, bootstrap, !state)
	if bootstrap {
		servers := raft.Configuration{Servers: []raft.Server{{ID: "a", Address: addr}}}
		require.NoError(t, raft.BootstrapCluster(conf, s.Log(), s.Stable(), s.Snapshots(), trans, servers))
	}
	r, err := raft.NewRaft(conf, fsm, s.Log(), s.Stable(), s.Snapshots(), trans)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Shutdown().Error() })
	eventually(t, "a leader", func() bool { return r.State() == raft.Leader })
	return r
}

// counter is a state machine that counts.
type counter struct{ n int }

func (c *counter) Apply(*raft.Log) any {
	c.n++
	return nil
}

func (c *counter) Snapshot() (raft.FSMSnapshot, error) { return counted(c.n), nil }

func (c *counter) Restore(r io.ReadCloser) error {
	raw, err := io.ReadAll(r)
	c.n = len(raw)
	return err
}

type counted int

func (c counted) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(make([]byte, c)); err != nil {
		return err
	}
	return sink.Close()
}

func (c counted) Release() {}
