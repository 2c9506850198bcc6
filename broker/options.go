package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	frameSlack       = 64 << 10 // room in a frame beside a message of the largest size
	heartbeatsMissed = 3        // a connection may be silent for this many heartbeats
	retryAfterMillis = 50       // hint with a refusal that passes by itself
)

// Options of a broker. Zero values stand for the defaults.
type Options struct {
	// Node is this node's name. Required.
	Node string

	// ClusterID tells the cluster's id; zero while it is not known.
	ClusterID func() [16]byte

	// Groups that this node has a replica of. Required.
	Groups []Group

	// Peers are the other nodes. Required.
	Peers Peers

	// Admin answers cluster queries and controls. Required.
	Admin Admin

	// Logger; nil discards.
	Logger *slog.Logger

	MessageMax     int           // bytes of one message, headers included; 1 MiB
	FrameMax       int           // bytes of a frame's payload; 2 MiB
	MessagesMax    int           // messages or settles of a frame; 1,000
	WindowMax      int           // unanswered operations of a session, told to clients; 1,024
	HelloTimeout   time.Duration // from the preface to Hello; 5 s
	Heartbeat      time.Duration // where a client proposes none; 10 s
	ConnectionsMax int           // 10,000
	HandlesMax     int           // sessions attached through one connection; 64
	QueriesMax     int           // reads that one connection may have under way; 16

	EntryBytes       int   // a batch is closed when it would pass this; 256 KiB
	EntriesInFlight  int   // proposals under way in a group; 2
	SubmitQueueBytes int   // commands waiting in a group, then readers pause; 8 MiB
	ForwardBytes     int   // commands sent to a group's leader and not answered; 8 MiB
	OutboxBytes      int   // frames waiting to be written to a connection; 4 MiB
	RequestsMax      int   // operations of a connection that wait for their answer to be written; 8,192
	RequestBytes     int   // bytes of those; 16 MiB
	PublishRate      int   // messages a second that one connection may publish; 0: no limit
	PublishBurst     int   // messages that it may publish at once; the rate
	LagMax           int   // entries that a group's state may be behind its log, beyond it publishes are refused; 4,096
	MemoryLimit      int64 // bytes of messages' bodies in a group, at it publishes are refused; 0: no limit

	// Heap tells the bytes that the process cannot free, at its last look, and
	// those that it may have: at three quarters of them publishes are refused,
	// whatever the memory is used for. Nil: there is no such mark.
	Heap func() (live, limit int64)

	// Disk tells the free bytes of the data folder's file system and the mark
	// below which publishes are refused. Nil: there is no such mark.
	Disk func() (free, low uint64, err error)

	// Trace tells where a group's replica leaves what happens to messages. Nil,
	// or nil for a group: nothing is kept.
	Trace func(group uint32) *Trace

	// SendTimeout is how long a client may leave its outbox full; 30 s.
	SendTimeout time.Duration

	// MetricQueues is how many queues of a group get gauges of their own; 100.
	MetricQueues int
}

func withDefaults(o Options) Options {
	setInt(&o.MessageMax, transport.MessageMax)
	setInt(&o.FrameMax, max(transport.FrameMax, o.MessageMax+frameSlack))
	setInt(&o.MessagesMax, transport.MessagesMax)
	setInt(&o.WindowMax, transport.WindowMax)
	setInt(&o.ConnectionsMax, 10_000)
	setInt(&o.HandlesMax, 64)
	setInt(&o.QueriesMax, 16)
	setInt(&o.EntryBytes, 256<<10)
	setInt(&o.EntriesInFlight, 2)
	setInt(&o.SubmitQueueBytes, 8<<20)
	setInt(&o.ForwardBytes, 8<<20)
	setInt(&o.OutboxBytes, 4<<20)
	setInt(&o.RequestsMax, 8192)
	setInt(&o.RequestBytes, 16<<20)
	setInt(&o.MetricQueues, 100)
	setInt(&o.LagMax, 4096)
	setInt(&o.PublishBurst, max(1, o.PublishRate))
	setDuration(&o.HelloTimeout, 5*time.Second)
	setDuration(&o.Heartbeat, 10*time.Second)
	setDuration(&o.SendTimeout, 30*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Trace == nil {
		o.Trace = func(uint32) *Trace { return nil }
	}
	if o.ClusterID == nil {
		o.ClusterID = func() [16]byte { return [16]byte{} }
	}
	return o
}

func setInt(v *int, d int) {
	if *v == 0 {
		*v = d
	}
}

func setDuration(v *time.Duration, d time.Duration) {
	if *v == 0 {
		*v = d
	}
}

// Validate returns every mistake in the options, defaults filled in.
func (o Options) Validate() error {
	o = withDefaults(o)
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("broker: "+format, args...)) }
	if o.Node == "" {
		bad("Node is empty")
	}
	if len(o.Groups) == 0 {
		bad("no Groups")
	}
	seen := map[uint32]bool{}
	for _, g := range o.Groups {
		if g == nil {
			bad("a group is nil")
			continue
		}
		if seen[g.ID()] {
			bad("group %d is there twice", g.ID())
		}
		seen[g.ID()] = true
	}
	if o.Peers == nil {
		bad("Peers is nil")
	}
	if o.Admin == nil {
		bad("Admin is nil")
	}
	for _, v := range []struct {
		name string
		v    int
	}{
		{"MessagesMax", o.MessagesMax}, {"WindowMax", o.WindowMax},
		{"ConnectionsMax", o.ConnectionsMax}, {"HandlesMax", o.HandlesMax}, {"QueriesMax", o.QueriesMax},
		{"EntriesInFlight", o.EntriesInFlight}, {"LagMax", o.LagMax}, {"PublishBurst", o.PublishBurst}, {"RequestsMax", o.RequestsMax}, {"MetricQueues", o.MetricQueues},
		{"MessageMax", o.MessageMax}, {"EntryBytes", o.EntryBytes}, {"SubmitQueueBytes", o.SubmitQueueBytes},
		{"ForwardBytes", o.ForwardBytes}, {"OutboxBytes", o.OutboxBytes}, {"RequestBytes", o.RequestBytes},
	} {
		if v.v < 1 {
			bad("%s is %d, it must be positive", v.name, v.v)
		}
	}
	if o.FrameMax < o.MessageMax+frameSlack {
		bad("FrameMax %d leaves less than %d bytes beside a message of MessageMax %d", o.FrameMax, frameSlack, o.MessageMax)
	}
	if o.PublishRate < 0 {
		bad("PublishRate is %d", o.PublishRate)
	}
	if o.MemoryLimit < 0 {
		bad("MemoryLimit is %d", o.MemoryLimit)
	}
	for _, v := range []struct {
		name string
		v    time.Duration
	}{{"HelloTimeout", o.HelloTimeout}, {"Heartbeat", o.Heartbeat}, {"SendTimeout", o.SendTimeout}} {
		if v.v < 10*time.Millisecond {
			bad("%s is %v, it must be at least 10ms", v.name, v.v)
		}
	}
	return errors.Join(errs...)
}
