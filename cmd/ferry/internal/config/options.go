package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// option is one setting: how it is named, parsed and shown.
type option struct {
	name  string
	kind  string // for help
	usage string
	store func(text string) error
	show  func() string
}

// env is the name of the option's variable.
func (o *option) env() string {
	return "FERRY_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// options is the table of all settings of c.
func options(c *Config) []*option {
	return []*option{
		text("node", &c.Node, "name of this node, unique in the cluster (default: the host's name)"),
		text("data", &c.Data, "data folder"),
		text("listen", &c.Listen, "address for clients, nodes and Raft"),
		text("advertise", &c.Advertise, "address that other nodes dial (default: --listen)"),
		text("advertise-client", &c.AdvertiseClient, "address that clients are told (default: --advertise)"),
		text("gossip", &c.Gossip, "address for gossip, TCP and UDP"),
		text("advertise-gossip", &c.AdvertiseGossip, "address that other nodes gossip to (default: --gossip)"),
		text("http", &c.HTTP, "address for /metrics, /livez and /readyz"),
		list("join", &c.Join, "gossip addresses of other nodes"),
		number("bootstrap-expect", &c.BootstrapExpect, "form a new cluster once so many nodes see each other; 0: never"),
		text("cluster-key-file", &c.ClusterKeyFile, "file with the secret that nodes prove to each other (at least 32 bytes)"),
		boolean("without-cluster-key", &c.WithoutClusterKey, "trust whoever reaches the ports, outside loopback too"),
		text("log-store", &c.LogStore, "store of the Raft log: wal or boltdb"),
		duration("store-deadline", &c.StoreDeadline, "a write of the log that takes longer stops the node"),
		size("snapshot-bytes", &c.SnapshotBytes, "log written between two snapshots"),
		size("trailing-bytes", &c.TrailingBytes, "log kept behind a snapshot for slow nodes"),
		size("memory-limit", &c.MemoryLimit, "bound of messages and of the process: publishes are refused when bodies take half of it, or all that lives three quarters; 0: none"),
		mark("disk-low", &c.DiskLow, "refuse publishes when less of the data folder's file system is free: 5%, 1GiB, or the smaller of both; 0: never"),
		size("message-max", &c.MessageMax, "largest message, headers included: 1KiB to 1MiB"),
		number("connections", &c.Connections, "most client connections"),
		number("publish-rate", &c.PublishRate, "messages a second that one connection may publish; 0: no limit"),
		number("publish-burst", &c.PublishBurst, "messages that one connection may publish at once (default: --publish-rate)"),
		number("trace-events", &c.TraceEvents, "events of messages' lives kept in memory; 0: none"),
		text("log-level", &c.LogLevel, "debug, info, warn or error"),
		text("log-format", &c.LogFormat, "text or json"),
		duration("raft-heartbeat-timeout", &c.HeartbeatTimeout, "silence of the leader after which a node doubts it"),
		duration("raft-election-timeout", &c.ElectionTimeout, "a candidate without a result tries again after it"),
		duration("raft-leader-lease-timeout", &c.LeaderLeaseTimeout, "a leader that reaches no quorum for so long steps down"),
		duration("raft-commit-timeout", &c.CommitTimeout, "an idle leader tells followers the commit index after it"),
		duration("shutdown-timeout", &c.ShutdownTimeout, "bound of a clean stop"),
		boolean("pprof", &c.Pprof, "serve /debug/pprof on the HTTP address"),
	}
}

func text(name string, p *string, usage string) *option {
	return &option{name: name, kind: "string", usage: usage,
		store: func(s string) error { *p = s; return nil },
		show:  func() string { return *p }}
}

func list(name string, p *[]string, usage string) *option {
	return &option{name: name, kind: "list", usage: usage,
		store: func(s string) error {
			*p = nil
			for item := range strings.SplitSeq(s, ",") {
				if item = strings.TrimSpace(item); item != "" {
					*p = append(*p, item)
				}
			}
			return nil
		},
		show: func() string { return strings.Join(*p, ",") }}
}

func number(name string, p *int, usage string) *option {
	return &option{name: name, kind: "int", usage: usage,
		store: func(s string) error {
			n, err := strconv.Atoi(s)
			if err != nil {
				return fmt.Errorf("%q is not a whole number", s)
			}
			*p = n
			return nil
		},
		show: func() string { return strconv.Itoa(*p) }}
}

func duration(name string, p *time.Duration, usage string) *option {
	return &option{name: name, kind: "duration", usage: usage,
		store: func(s string) error {
			d, err := time.ParseDuration(s)
			if err != nil {
				return fmt.Errorf("%q is not a duration: want 300ms, 10s or 1m30s", s)
			}
			*p = d
			return nil
		},
		show: func() string { return p.String() }}
}

func size(name string, p *Bytes, usage string) *option {
	return &option{name: name, kind: "size", usage: usage,
		store: func(s string) (err error) {
			n, err := ParseBytes(s)
			if err == nil {
				*p = n
			}
			return err
		},
		show: func() string { return p.String() }}
}

func mark(name string, p *Mark, usage string) *option {
	return &option{name: name, kind: "mark", usage: usage,
		store: func(s string) error {
			m, err := ParseMark(s)
			if err == nil {
				*p = m
			}
			return err
		},
		show: func() string { return p.String() }}
}

func boolean(name string, p *bool, usage string) *option {
	return &option{name: name, kind: "bool", usage: usage,
		store: func(s string) error {
			b, err := strconv.ParseBool(s)
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", s)
			}
			*p = b
			return nil
		},
		show: func() string { return strconv.FormatBool(*p) }}
}
