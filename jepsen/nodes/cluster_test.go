package nodes

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClusterOptionsListEveryMistake(t *testing.T) {
	_, err := NewCluster(Options{Nodes: nodesMax + 1})
	require.ErrorContains(t, err, "Binary is empty")
	require.ErrorContains(t, err, "Nodes is 10")
}

func TestClusterURLsBeginAtDifferentNodes(t *testing.T) {
	c, err := NewCluster(Options{Binary: "ferry"})
	require.NoError(t, err)
	n := c.Nodes()
	require.Equal(t, "ferry://"+n[1].Addr+","+n[2].Addr+","+n[0].Addr, c.URL(1))
	require.Equal(t, c.URL(0), c.URL(3))
	require.Same(t, n[2], c.Node("n3"))
	require.Nil(t, c.Node("n4"))
	dir := c.dir
	require.DirExists(t, dir)
	require.NoError(t, c.Close())
	require.NoDirExists(t, dir)
}

// A process that does not listen to SIGTERM is killed, and that is told.
func TestProcessIsStoppedOrKilled(t *testing.T) {
	log := t.TempDir() + "/log"
	p, err := StartProcess("sh", "/bin/sh", []string{"-c", "exec sleep 60"}, log)
	require.NoError(t, err)
	require.False(t, ended(p))
	require.NoError(t, p.Kill())
	require.True(t, ended(p))

	p, err = StartProcess("sh", "/bin/sh", []string{"-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"}, log)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(log)
		return err == nil && len(text) > 0
	}, time.Minute, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Stop(ctx), context.DeadlineExceeded)
	require.True(t, ended(p))
}

func TestReadyTellsThatTheProcessExited(t *testing.T) {
	c, err := NewCluster(Options{Binary: "/bin/false", Nodes: 1})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.ErrorIs(t, c.Start(t.Context()), ErrExited)
}

func ended(p Process) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}
