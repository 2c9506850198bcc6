package raftalone

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
)

// Options of one of the three processes.
type Options struct {
	Self     int      // which of Peers this is
	Peers    []string // addresses of all
	Dir      string
	LogStore string
}

// The settings are those of a FerryMQ node; see package cluster.
const (
	heartbeatTimeout = 300 * time.Millisecond
	leaderLease      = 300 * time.Millisecond
	commitTimeout    = 50 * time.Millisecond
	appendEntriesMax = 64
	logCacheEntries  = 64
	poolMax          = 3
	ioTimeout        = 10 * time.Second
	applyTimeout     = 10 * time.Second
)

// node is a replica of the group.
type node struct {
	raft  *raft.Raft
	net   *raft.NetworkTransport
	store *store.Store
}

func open(o Options, log *slog.Logger) (*node, error) {
	s, err := store.Open(store.Options{
		Dir: filepath.Join(o.Dir, fmt.Sprintf("raft-alone-%d", o.Self)), LogStore: o.LogStore, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	n := &node{store: s}
	if err := n.start(o, log); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) start(o Options, log *slog.Logger) error {
	addr, err := net.ResolveTCPAddr("tcp", o.Peers[o.Self])
	if err != nil {
		return err
	}
	logger := cluster.NewHCLogger(log)
	if n.net, err = raft.NewTCPTransportWithLogger(o.Peers[o.Self], addr, poolMax, ioTimeout, logger); err != nil {
		return err
	}
	cache, err := raft.NewLogCache(logCacheEntries, n.store.Log())
	if err != nil {
		return err
	}
	c := raft.DefaultConfig()
	c.LocalID = serverID(o.Self)
	c.HeartbeatTimeout, c.ElectionTimeout = heartbeatTimeout, heartbeatTimeout
	c.LeaderLeaseTimeout, c.CommitTimeout = leaderLease, commitTimeout
	c.MaxAppendEntries = appendEntriesMax
	c.SnapshotThreshold, c.SnapshotInterval = 1<<62, 24*time.Hour
	c.Logger = logger
	n.raft, err = raft.NewRaft(c, nothing{}, cache, n.store.Stable(), n.store.Snapshots(), cluster.WrapTransport(n.net))
	if err != nil || o.Self != 0 {
		return err
	}
	var members raft.Configuration
	for i, peer := range o.Peers {
		members.Servers = append(members.Servers, raft.Server{ID: serverID(i), Address: raft.ServerAddress(peer)})
	}
	return n.raft.BootstrapCluster(members).Error()
}

func serverID(i int) raft.ServerID { return raft.ServerID(fmt.Sprintf("raft-alone-%d", i)) }

func (n *node) close() error {
	var errs []error
	if n.raft != nil {
		errs = append(errs, n.raft.Shutdown().Error())
	}
	if n.net != nil {
		errs = append(errs, n.net.Close())
	}
	return errors.Join(append(errs, n.store.Close())...)
}

// nothing is a state machine that does nothing.
type nothing struct{}

func (nothing) Apply(*raft.Log) any                 { return nil }
func (nothing) Snapshot() (raft.FSMSnapshot, error) { return nothing{}, nil }
func (nothing) Restore(r io.ReadCloser) error       { return r.Close() }
func (nothing) Persist(sink raft.SnapshotSink) error {
	return sink.Close()
}
func (nothing) Release() {}
