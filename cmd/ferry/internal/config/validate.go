package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"
)

var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Validate returns every mistake, joined.
func (c *Config) Validate() error {
	var m mistakes
	if !nodeName.MatchString(c.Node) || len(c.Node) > NodeNameMax {
		m.add("node", "%q is no name: want 1 to %d of A-Z a-z 0-9 _ . -, beginning with a letter or digit", c.Node, NodeNameMax)
	}
	if c.Data == "" {
		m.add("data", "names no folder")
	}
	c.validateAddresses(&m)
	c.validateCluster(&m)
	c.validateLimits(&m)
	c.validateTimeouts(&m)
	return errors.Join(m...)
}

type mistakes []error

func (m *mistakes) add(name, format string, args ...any) {
	*m = append(*m, fmt.Errorf("--"+name+": "+format, args...))
}

func (c *Config) validateAddresses(m *mistakes) {
	for _, a := range []struct{ name, addr string }{
		{"listen", c.Listen}, {"gossip", c.Gossip}, {"http", c.HTTP},
	} {
		if _, err := splitAddr(a.addr); err != nil {
			m.add(a.name, "%w", err)
		}
	}
	for _, a := range []struct{ name, addr, listenName, listen string }{
		{"advertise", c.Advertise, "listen", c.Listen},
		{"advertise-gossip", c.AdvertiseGossip, "gossip", c.Gossip},
	} {
		if a.addr == "" {
			if host, err := splitAddr(a.listen); err == nil && unspecified(host) {
				m.add(a.name, "needed, because --%s %s is no address that another node could dial", a.listenName, a.listen)
			}
			continue
		}
		m.reachable(a.name, a.addr)
	}
	if c.AdvertiseClient != "" {
		m.reachable("advertise-client", c.AdvertiseClient)
	}
	if len(c.Join) > joinMax {
		m.add("join", "%d addresses, at most %d", len(c.Join), joinMax)
	}
	for _, addr := range c.Join {
		m.reachable("join", addr)
	}
}

// reachable says what is wrong with an address that others are to dial.
func (m *mistakes) reachable(name, addr string) {
	if host, err := splitAddr(addr); err != nil {
		m.add(name, "%w", err)
	} else if unspecified(host) {
		m.add(name, "%s is no address that another machine could dial", addr)
	}
}

func (c *Config) validateCluster(m *mistakes) {
	if c.BootstrapExpect < 0 || c.BootstrapExpect > BootstrapExpectMax {
		m.add("bootstrap-expect", "%d is not between 0 and %d", c.BootstrapExpect, BootstrapExpectMax)
	}
	if c.BootstrapExpect > 1 && len(c.Join) == 0 {
		m.add("join", "needed with --bootstrap-expect %d: how else would the nodes find each other", c.BootstrapExpect)
	}
	if c.ClusterKeyFile != "" && c.WithoutClusterKey {
		m.add("without-cluster-key", "excludes --cluster-key-file")
	}
	if c.ClusterKeyFile == "" && !c.WithoutClusterKey {
		for _, addr := range []string{c.Listen, c.Gossip} {
			if host, err := splitAddr(addr); err == nil && !loopback(host) {
				m.add("cluster-key-file", "needed, because %s can be reached from other machines (or accept that with --without-cluster-key)", addr)
				break
			}
		}
	}
	m.oneOf("log-store", c.LogStore, LogStoreWAL, LogStoreBolt)
	m.oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error")
	m.oneOf("log-format", c.LogFormat, "text", "json")
}

func (m *mistakes) oneOf(name, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	m.add(name, "%q is none of %q", value, allowed)
}

func (m *mistakes) between(name string, v, low, high int) {
	if v < low || v > high {
		m.add(name, "%d is not between %d and %d", v, low, high)
	}
}

func (c *Config) validateLimits(m *mistakes) {
	if c.MemoryLimit != 0 && c.MemoryLimit < MemoryLimitMin {
		m.add("memory-limit", "%s is less than %s", c.MemoryLimit, MemoryLimitMin)
	}
	if c.MessageMax < MessageMaxMin || c.MessageMax > MessageMaxMax {
		m.add("message-max", "%s is not between %s and %s", c.MessageMax, MessageMaxMin, MessageMaxMax)
	}
	if c.Connections < 1 || c.Connections > ConnectionsMax {
		m.add("connections", "%d is not between 1 and %d", c.Connections, ConnectionsMax)
	}
	m.between("publish-rate", c.PublishRate, 0, PublishRateMax)
	m.between("publish-burst", c.PublishBurst, 0, PublishRateMax)
	if c.PublishBurst != 0 && c.PublishRate == 0 {
		m.add("publish-burst", "needs --publish-rate")
	}
	m.between("trace-events", c.TraceEvents, 0, TraceEventsMax)
	if c.SnapshotBytes == 0 {
		m.add("snapshot-bytes", "must be above 0")
	}
	if c.TrailingBytes == 0 {
		m.add("trailing-bytes", "must be above 0")
	}
}

func (c *Config) validateTimeouts(m *mistakes) {
	for _, t := range []struct {
		name string
		d    time.Duration
	}{
		{"raft-heartbeat-timeout", c.HeartbeatTimeout}, {"raft-election-timeout", c.ElectionTimeout},
		{"raft-leader-lease-timeout", c.LeaderLeaseTimeout}, {"raft-commit-timeout", c.CommitTimeout},
		{"shutdown-timeout", c.ShutdownTimeout}, {"store-deadline", c.StoreDeadline},
	} {
		if t.d < TimeoutMin || t.d > TimeoutMax {
			m.add(t.name, "%s is not between %s and %s", t.d, TimeoutMin, TimeoutMax)
		}
	}
	if c.LeaderLeaseTimeout > c.HeartbeatTimeout {
		m.add("raft-leader-lease-timeout", "%s is longer than --raft-heartbeat-timeout %s: two nodes could lead", c.LeaderLeaseTimeout, c.HeartbeatTimeout)
	}
	if c.ElectionTimeout < c.HeartbeatTimeout {
		m.add("raft-election-timeout", "%s is shorter than --raft-heartbeat-timeout %s", c.ElectionTimeout, c.HeartbeatTimeout)
	}
}

// splitAddr checks host:port and returns the host.
func splitAddr(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("%q is no host:port", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q has no port between 1 and 65535", addr)
	}
	return host, nil
}

func unspecified(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
