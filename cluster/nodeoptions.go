package cluster

import (
	"log/slog"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	defaultMembershipEvery = 500 * time.Millisecond
	joinEvery              = time.Second
	leaderlessMax          = 5 * time.Second  // without a leader for longer, a node asks whether it is still a member
	requestTimeout         = 3 * time.Second  // of the requests that nodes make by themselves
	bootstrapPromise       = 30 * time.Second // how long a node keeps itself free for who wants to bootstrap with it
	expectMax              = 9
)

// GroupStores are the stores of one group, and how they end.
type GroupStores struct {
	Stores
	Close func() error // nil: nothing to close
}

// Server is a voter of a static bootstrap.
type Server struct {
	Node     string
	ServerID string
	PeerAddr string
}

// NodeHandler is what a node's owner implements: package broker, through cmd.
type NodeHandler interface {
	PeerHandler

	// LeaderChanged tells every change of what group.Leader returns, in order
	// for each group. It must return soon.
	LeaderChanged(group *Group, info transport.GroupInfo, self bool)
}

// NodeOptions configures a node.
type NodeOptions struct {
	Name     string
	ServerID string // of a new node; default: minted. A data folder that has one keeps it
	Meta     Meta
	Groups   []uint32 // default: group 0

	// OpenStores opens a group's stores; fatal is told of a store that must
	// not be used any more. An error that is ErrRebuild says that the stores
	// lost what they once promised: NewNode returns it, and the next NewNode
	// calls WipeStores and goes on under a new server id.
	OpenStores func(group uint32, fatal func(error)) (GroupStores, error)
	WipeStores func(group uint32) error

	Mux        *transport.Mux // the shared port; the node serves peers and raft on it
	Network    transport.Network
	PeerAddr   string // what the other nodes dial
	ClientAddr string // what clients are told
	Key        []byte // of the cluster
	Build      string

	// Discovery finds the other nodes. With Expect, the first start forms a
	// cluster of that many servers. Without Discovery, Static names them.
	Discovery Discovery
	Expect    int
	Static    []Server
	ClusterID [16]byte // with Static; default: made from the servers

	WallSkew func() time.Duration      // as in GroupOptions
	Tracer   func(group uint32) Tracer // the same; default: none

	Group GroupOptions // timeouts and sizes for every group; the rest is filled in
	Peers PeersOptions // the same for links

	MembershipEvery time.Duration // default 500 ms
	Logger          *slog.Logger
	Metrics         *Metrics

	// OnDigestMismatch is called for every replica found to differ.
	OnDigestMismatch func(group uint32, node string, index uint64)
	// OnClockAlarm is called when a led group's clock begins or ends to be wrong.
	OnClockAlarm func(group uint32, alarm bool, skew time.Duration)
}

func (o NodeOptions) withDefaults() NodeOptions {
	if len(o.Groups) == 0 {
		o.Groups = []uint32{0}
	}
	setDefault(&o.MembershipEvery, defaultMembershipEvery)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.OnDigestMismatch == nil {
		o.OnDigestMismatch = func(uint32, string, uint64) {}
	}
	if o.OnClockAlarm == nil {
		o.OnClockAlarm = func(uint32, bool, time.Duration) {}
	}
	return o
}

// Validate returns every mistake, after defaults.
func (o NodeOptions) Validate() error {
	o = o.withDefaults()
	var m mistakes
	m.when(o.Name == "", "Name is empty")
	m.when(o.Meta == nil, "Meta is missing")
	m.when(o.OpenStores == nil, "OpenStores is missing")
	m.when(o.WipeStores == nil, "WipeStores is missing")
	m.when(o.Mux == nil, "Mux is missing")
	m.when(o.Network == nil, "Network is missing")
	m.when(o.PeerAddr == "", "PeerAddr is empty")
	m.when(o.Expect < 0 || o.Expect > expectMax, "Expect %d is not within 0 to %d", o.Expect, expectMax)
	m.when(o.Expect > 0 && o.Discovery == nil, "Expect needs Discovery")
	m.when(o.Expect > 0 && len(o.Static) > 0, "Expect and Static exclude each other")
	m.when(o.MembershipEvery < 0, "MembershipEvery %v is negative", o.MembershipEvery)
	for i, s := range o.Static {
		m.when(s.Node == "" || s.ServerID == "" || s.PeerAddr == "", "Static[%d] is incomplete", i)
		m.when(nodeOf(raftID(s.ServerID)) != s.Node, "Static[%d]: server id %q is not %q, '-' and 8 digits", i, s.ServerID, s.Node)
	}
	groups := slices.Clone(o.Groups)
	slices.Sort(groups)
	m.when(len(slices.Compact(groups)) != len(o.Groups), "Groups names one twice")
	return m.err()
}
