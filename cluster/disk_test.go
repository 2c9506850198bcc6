package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/nodes/ports"
	"github.com/ferrymq/ferrymq/transport"
)

// Three nodes with real stores and real connections over loopback.

type diskNode struct {
	name, dir, addr string
	logStore        string
	*cluster.Node
	mux    *transport.Mux
	served chan error
}

type quiet struct{}

func (quiet) PeerUp(string)                                                 {}
func (quiet) PeerDown(string)                                               {}
func (quiet) PeerFrame(string, transport.Frame)                             {}
func (quiet) LeaderChanged(_ *cluster.Group, _ transport.GroupInfo, _ bool) {}

func (d *diskNode) start(t *testing.T, b *cluster.MemoryDiscovery) {
	t.Helper()
	var err error
	if d.addr == "" { // and started again there
		if _, d.addr, err = ports.Free(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := transport.TCP{}.Listen(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.mux = transport.NewMux(l, transport.MuxOptions{})
	d.served = make(chan error, 1)
	go func(m *transport.Mux, served chan error) { served <- m.Serve() }(d.mux, d.served)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	groupDir := func(g uint32) string { return filepath.Join(d.dir, fmt.Sprintf("group-%d", g)) }
	d.Node, err = cluster.NewNode(cluster.NodeOptions{
		Name: d.name, Meta: cluster.FileMeta{Path: filepath.Join(d.dir, "node.json")},
		Mux: d.mux, Network: transport.TCP{}, PeerAddr: d.addr, ClientAddr: d.addr,
		Key: []byte("key"), Discovery: b.Of(d.name), Expect: 3, Logger: log,
		MembershipEvery: 50 * time.Millisecond,
		OpenStores: func(g uint32, fatal func(error)) (cluster.GroupStores, error) {
			st, err := store.Open(store.Options{Dir: groupDir(g), LogStore: d.logStore, OnFatal: fatal, Logger: log, SegmentBytes: 1 << 20})
			if errors.Is(err, store.ErrForgotten) {
				err = fmt.Errorf("%w: %w", cluster.ErrRebuild, err)
			}
			if err != nil {
				return cluster.GroupStores{}, err
			}
			return cluster.GroupStores{
				Stores: cluster.Stores{Log: st.Log(), Stable: st.Stable(), Snapshots: st.Snapshots()},
				Close:  st.Close,
			}, nil
		},
		WipeStores: func(g uint32) error { _, err := store.Reset(groupDir(g)); return err },
		Group:      cluster.GroupOptions{SnapshotBytes: 64 << 10, TrailingBytes: 16 << 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Start(quiet{})
}

func (d *diskNode) stop(t *testing.T) {
	t.Helper()
	if d.Node == nil {
		return
	}
	if err := d.Close(); err != nil {
		t.Errorf("close %s: %v", d.name, err)
	}
	if err := d.mux.Close(); err != nil {
		t.Error(err)
	}
	<-d.served
	d.Node = nil
}

func within(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func leaderOf(t *testing.T, nodes []*diskNode) (found *diskNode) {
	t.Helper()
	within(t, "a leader", func() bool {
		for _, d := range nodes {
			if d.Node == nil {
				continue
			}
			if _, self := d.Group(0).Leader(); self {
				found = d
				return true
			}
		}
		return false
	})
	return found
}

func sessionsOf(d *diskNode) (n int) {
	d.Group(0).View(func(s *fsm.State) { n = s.Sessions().Sessions })
	return n
}

// open makes the sessions from..to, as a client would: at whoever leads, and
// once more where the answer leaves open what became of it, since a machine
// that is busy with other tests may elect another leader at any time. To make
// a session again changes nothing. Any other refusal is a failure.
func open(t *testing.T, nodes []*diskNode, from, to int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for i := from; i < to; {
		id := fsm.SessionID{byte(i), byte(i >> 8), byte(i >> 16)}
		applied, err := leaderOf(t, nodes).Group(0).Propose(fsm.AppendOpen(nil, &fsm.Open{Session: id, Principal: "test"}), 1)()
		switch {
		case err == nil:
			if len(applied.Results) != 1 || applied.Results[0].Code != fsm.OK {
				t.Fatalf("entry %d: %+v", i, applied.Results)
			}
			i++
		case !errors.Is(err, transport.CodeNotLeader) && !errors.Is(err, transport.CodeUnknownOutcome):
			t.Fatalf("entry %d: %v", i, err)
		case time.Now().After(deadline):
			t.Fatalf("entry %d, and no leader that stays: %v", i, err)
		}
	}
}

// What three nodes have applied is there on all of them when the leader went
// and came back, and when all went at once.
func TestThreeNodesOnDisk(t *testing.T) {
	for _, logStore := range []string{store.LogStoreWAL, store.LogStoreBolt} {
		t.Run(logStore, func(t *testing.T) {
			t.Parallel() // both wait for the disk most of the time
			b := &cluster.MemoryDiscovery{}
			var nodes []*diskNode
			for _, name := range []string{"a", "b", "c"} {
				d := &diskNode{name: name, dir: t.TempDir(), logStore: logStore}
				nodes = append(nodes, d)
				d.start(t, b)
				defer d.stop(t)
			}
			open(t, nodes, 0, 200)
			within(t, "all replicas apply", func() bool {
				return sessionsOf(nodes[0]) == 200 && sessionsOf(nodes[1]) == 200 && sessionsOf(nodes[2]) == 200
			})
			within(t, "a verified read", func() bool { return leaderOf(t, nodes).Group(0).Verify(t.Context()) == nil })

			l := leaderOf(t, nodes)
			l.stop(t)                 // the leader goes
			open(t, nodes, 200, 2500) // across snapshots
			l.start(t, b)
			within(t, "the old leader follows", func() bool { return sessionsOf(l) == 2500 && l.Ready() })

			for _, d := range nodes { // all at once
				d.stop(t)
			}
			for _, d := range nodes {
				d.start(t, b)
			}
			open(t, nodes, 2500, 2501)
			within(t, "all is back", func() bool {
				return sessionsOf(nodes[0]) == 2501 && sessionsOf(nodes[1]) == 2501 && sessionsOf(nodes[2]) == 2501
			})
			within(t, "leadership is handed over", func() bool { // on a busy machine another one may miss its chance
				_, err := nodes[0].Control(t.Context(), transport.Control{Kind: cluster.ControlTransferLeader})
				return err == nil
			})
		})
	}
}
