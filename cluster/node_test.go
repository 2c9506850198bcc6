package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func TestThreeNodesFormACluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		id := l.ClusterID()
		for _, h := range s.hosts {
			if h.ClusterID() != id || id == [16]byte{} {
				t.Errorf("%s belongs to %x, %s to %x", h.name, h.ClusterID(), l.name, id)
			}
			for _, x := range s.others(h) {
				if !h.Peers().Up(x.name) {
					t.Errorf("no link from %s to %s", h.name, x.name)
				}
			}
			info, _ := h.Group(0).Leader()
			if info.Leader != l.name || info.LeaderAddr != "client."+l.name+":7700" {
				t.Errorf("%s: %+v", h.name, info)
			}
			if len(h.Peers().Nodes()) != 3 {
				t.Errorf("%s knows %v", h.name, h.Peers().Nodes())
			}
		}
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a status with healthy members", func() bool {
			m := l.Status().Groups[0].Members
			return len(m) == 3 && m[0].Healthy && m[1].Healthy && m[2].Healthy && l.Status().Groups[0].Digest != ""
		})
	})
}

func TestLeaderCrashAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		old := s.formed("a", "b", "c")
		if _, err := propose(old.Group(0), 1); err != nil {
			t.Fatal(err)
		}
		for _, x := range s.others(old) {
			s.network.Cut(old.name, x.name)
		}
		began := time.Now()
		var next *host
		eventually(t, "another leader", func() bool {
			for _, h := range s.others(old) {
				if _, self := h.Group(0).Leader(); self {
					next = h
				}
			}
			return next != nil
		})
		if gap := time.Since(began); gap > 2500*time.Millisecond {
			t.Errorf("a new leader after %v", gap)
		}
		if _, err := propose(next.Group(0), 2); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the links to the cut node are down", func() bool { return !next.Peers().Up(old.name) })
		s.network.HealAll()
		eventually(t, "the old leader follows", func() bool { return sessions(old.Group(0)) == 2 && next.Peers().Up(old.name) })
		s.stop(old)
		s.start(old)
		eventually(t, "it is back", func() bool { return old.Ready() && sessions(old.Group(0)) == 2 })
	})
}

// A replica that must be rebuilt joins beside its dead self, under a new
// server id, and a person removes the old one.
func TestAnotherClusterIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		s.formed("a", "b", "c")
		// The same gossip, another cluster's data folder.
		x := &host{name: "x", meta: &MemoryMeta{}, log: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore()}
		if err := x.meta.Save(Identity{Name: "x", ServerID: newServerID("x"), ClusterID: newClusterID()}); err != nil {
			t.Fatal(err)
		}
		s.hosts["x"] = x
		s.start(x)
		time.Sleep(time.Minute)
		for _, h := range s.others(x) {
			if h.Peers().Up("x") || x.Peers().Up(h.name) {
				t.Errorf("a link between %s and another cluster's node", h.name)
			}
			if slices.Contains(voters(h.Node), "x") {
				t.Error("it is a voter")
			}
		}
		// And past gossip, straight to the port.
		for _, kind := range []transport.Kind{transport.KindPeer, transport.KindRaft} {
			nc, err := s.network.Host("x").Dial(t.Context(), "a:7700")
			if err != nil {
				t.Fatal(err)
			}
			if err := transport.WritePreface(nc, transport.Preface{Kind: kind, ClusterID: newClusterID()}); err != nil {
				t.Fatal(err)
			}
			f, err := transport.ReadFrame(nc, nil, transport.HelloFrameMax)
			var e transport.Error
			if err != nil || f.Op != transport.OpError || e.Decode(f.Payload) != nil || e.Code != transport.CodeHandshake {
				t.Errorf("%v: %+v %v %v", kind, f, e, err)
			}
			nc.Close()
		}
	})
}

func TestClusterKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := []byte("the cluster's secret")
		s := newNodeSim(t, func(name string, o *NodeOptions) {
			o.Key = key
			if name == "x" {
				o.Key = []byte("another one")
			}
		})
		defer s.close()
		l := s.formed("a", "b", "c")
		x := s.add("x")
		time.Sleep(30 * time.Second)
		if slices.Contains(voters(l.Node), "x") || x.Peers().Up("a") || l.Peers().Up("x") || x.HasState() {
			t.Error("a node without the key takes part")
		}
	})
}

func TestStaticBootstrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []Server{}
		for i, name := range []string{"a", "b", "c"} {
			servers = append(servers, Server{Node: name, ServerID: fmt.Sprintf("%s-%08x", name, i+1), PeerAddr: name + ":7700"})
		}
		s := newNodeSim(t, func(name string, o *NodeOptions) {
			o.Discovery, o.Expect, o.Static = nil, 0, servers
			o.ServerID = fmt.Sprintf("%s-%08x", name, name[0]-'a'+1)
		})
		defer s.close()
		l := s.formed("a", "b", "c")
		if l.ClusterID() != staticClusterID(servers) {
			t.Error("cluster id")
		}
		if _, err := propose(l.Group(0), 1); err != nil {
			t.Fatal(err)
		}
	})
}

// Two nodes that see different sets of nodes at the first start must not form
// two clusters that both commit.
func TestAMinorityRefusesWithinItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNodeSim(t, nil)
		defer s.close()
		l := s.formed("a", "b", "c")
		for _, x := range s.others(l) {
			s.network.Cut(l.name, x.name)
		}
		began := time.Now()
		if _, err := propose(l.Group(0), 1); !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Errorf("in flight at the cut: %v", err)
		}
		if _, err := propose(l.Group(0), 2); !errors.Is(err, transport.CodeNotLeader) {
			t.Errorf("after the cut: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Control(ctx, transport.Control{Kind: ControlTransferLeader}); !errors.Is(err, transport.CodeNoLeader) {
			t.Errorf("control in a minority: %v", err)
		}
	})
}

func TestDivergedReplicaIsReportedAndRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var reported []string
		s := newNodeSim(t, func(_ string, o *NodeOptions) {
			o.OnDigestMismatch = func(_ uint32, node string, _ uint64) {
				mu.Lock()
				defer mu.Unlock()
				reported = append(reported, node)
			}
		})
		defer s.close()
		l := s.formed("a", "b", "c")
		victim := s.others(l)[0]
		// One replica's memory goes bad: it applies something that is in no log.
		g := victim.Group(0)
		g.fsm.mu.Lock()
		bad := fsm.AppendEntryHeader(nil, fsm.VersionCurrent, fsm.Clock{}, 1)
		_, err := g.fsm.state.Apply(g.fsm.state.Index()+1, append(bad, opening(666)...))
		g.fsm.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(20) {
			if _, err := propose(l.Group(0), n); err != nil {
				t.Fatal(err)
			}
		}
		<-victim.Done()
		if !errors.Is(victim.Err(), ErrRebuild) && !errors.Is(victim.Err(), ErrCorruptState) {
			t.Fatal(victim.Err())
		}
		if errors.Is(victim.Err(), ErrRebuild) {
			mu.Lock()
			if len(reported) == 0 || reported[0] != victim.name {
				t.Errorf("reported %v", reported)
			}
			mu.Unlock()
			s.stop(victim)
			s.start(victim)
			eventually(t, "rebuilt", func() bool { return victim.Node.Ready() && sessions(victim.Group(0)) == 20 })
		}
	})
}

func TestNodeOptionsNameEveryMistake(t *testing.T) {
	err := NodeOptions{Expect: 100, Static: []Server{{Node: "a"}}, Groups: []uint32{1, 1}}.Validate()
	for _, want := range []string{"Name is empty", "Meta", "OpenStores", "Mux", "Network", "PeerAddr", "Expect 100", "Expect needs", "exclude", "Static[0]", "Groups"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
}

// A store that lost what it once promised is wiped at the next start.
// A log store that hangs reports itself past its deadline and returns an error
// (cluster/store): the leader steps down, its node asks to be stopped, and
// another one takes over.
func TestHungLogStoreStopsTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errHung := errors.New("store call exceeded its deadline")
		logs, fatals := make(map[string]*failingLog), make(map[string]func(error))
		s := newNodeSim(t, func(name string, o *NodeOptions) {
			open := o.OpenStores
			o.OpenStores = func(group uint32, fatal func(error)) (GroupStores, error) {
				st, err := open(group, fatal)
				logs[name], fatals[name] = &failingLog{LogStore: st.Log}, fatal
				st.Log = logs[name]
				return st, err
			}
		})
		defer s.close()
		l := s.formed("a", "b", "c")
		log := logs[l.name]
		log.mu.Lock()
		log.fail = errHung
		log.mu.Unlock()
		fatals[l.name](errHung)
		if _, err := propose(l.Group(0), 1); !errors.Is(err, transport.CodeUnknownOutcome) {
			t.Errorf("the entry that hung: %v", err)
		}
		<-l.Done()
		if !errors.Is(l.Err(), errHung) {
			t.Error(l.Err())
		}
		s.stop(l)
		next := s.leader()
		if _, err := propose(next.Group(0), 2); err != nil {
			t.Error(err)
		}
	})
}
