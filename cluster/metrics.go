package cluster

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of this package. Register it once with a prometheus.Registerer.
type Metrics struct {
	term        *prometheus.GaugeVec
	leads       *prometheus.GaugeVec
	commitIndex *prometheus.GaugeVec
	appliedAt   *prometheus.GaugeVec
	applySecs   *prometheus.HistogramVec
	proposals   *prometheus.CounterVec
	snapshots   *prometheus.CounterVec
	snapBytes   *prometheus.GaugeVec
	snapSecs    *prometheus.HistogramVec
	installs    *prometheus.CounterVec
	changes     *prometheus.CounterVec
	clockSkew   *prometheus.GaugeVec
	mismatches  *prometheus.CounterVec
	linkUp      *prometheus.GaugeVec
	linkFrames  *prometheus.CounterVec
	linkBytes   *prometheus.CounterVec
	linkRetries *prometheus.CounterVec

	all []prometheus.Collector
}

// NewMetrics makes the collectors.
func NewMetrics() *Metrics {
	m := &Metrics{}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "ferry", Subsystem: "cluster", Name: name, Help: help}, labels)
		m.all = append(m.all, g)
		return g
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "ferry", Subsystem: "cluster", Name: name, Help: help}, labels)
		m.all = append(m.all, c)
		return c
	}
	seconds := func(name, help string, from float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "ferry", Subsystem: "cluster", Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(from, 4, 9),
		}, labels)
		m.all = append(m.all, h)
		return h
	}
	m.term = gauge("term", "Raft term of the group.", "group")
	m.leads = gauge("leader", "1 while this node leads the group and may write.", "group")
	m.commitIndex = gauge("commit_index", "Last committed entry that this node knows of.", "group")
	m.appliedAt = gauge("applied_index", "Last entry that this node has applied.", "group")
	m.applySecs = seconds("apply_seconds", "Time to apply one entry to the state.", 10e-6, "group")
	m.proposals = counter("proposals_total", "Entries proposed by this node, by outcome.", "group", "outcome")
	m.snapshots = counter("snapshots_total", "Snapshots taken.", "group")
	m.snapBytes = gauge("snapshot_bytes", "Size of the last snapshot taken.", "group")
	m.snapSecs = seconds("snapshot_seconds", "Time to write a snapshot.", 1e-3, "group")
	m.installs = counter("snapshot_installs_total", "Snapshots received from a leader.", "group")
	m.changes = counter("leader_changes_total", "Changes of leadership seen by this node.", "group")
	m.clockSkew = gauge("clock_skew_seconds", "This leader's wall clock minus the median of all.", "group")
	m.mismatches = counter("digest_mismatches_total", "Replicas whose state differed from the leader's.", "group", "node")
	m.linkUp = gauge("link_up", "1 while the link to the node is up.", "node")
	m.linkFrames = counter("link_frames_total", "Frames on links to other nodes.", "node", "direction")
	m.linkBytes = counter("link_bytes_total", "Payload bytes on links to other nodes.", "node", "direction")
	m.linkRetries = counter("link_connects_total", "Attempts to connect to a node, by outcome.", "node", "outcome")
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(ch)
	}
}

func label(group uint32) string { return strconv.FormatUint(uint64(group), 10) }

func boolGauge(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func (m *Metrics) applied(group uint32, index uint64, took time.Duration) {
	g := label(group)
	m.appliedAt.WithLabelValues(g).Set(float64(index))
	m.applySecs.WithLabelValues(g).Observe(took.Seconds())
}

func (m *Metrics) proposed(group uint32, outcome string) {
	m.proposals.WithLabelValues(label(group), outcome).Inc()
}

func (m *Metrics) snapshot(group uint32, bytes int64, took time.Duration) {
	g := label(group)
	m.snapshots.WithLabelValues(g).Inc()
	m.snapBytes.WithLabelValues(g).Set(float64(bytes))
	m.snapSecs.WithLabelValues(g).Observe(took.Seconds())
}

func (m *Metrics) installed(group uint32) { m.installs.WithLabelValues(label(group)).Inc() }

func (m *Metrics) leadership(group uint32, term uint64, self bool) {
	g := label(group)
	m.changes.WithLabelValues(g).Inc()
	m.leads.WithLabelValues(g).Set(boolGauge(self))
	m.term.WithLabelValues(g).Set(float64(term))
}

func (m *Metrics) indexes(group uint32, term, commit uint64) {
	g := label(group)
	m.term.WithLabelValues(g).Set(float64(term))
	m.commitIndex.WithLabelValues(g).Set(float64(commit))
}

func (m *Metrics) skew(group uint32, skew time.Duration) {
	m.clockSkew.WithLabelValues(label(group)).Set(skew.Seconds())
}

func (m *Metrics) mismatch(group uint32, node string) {
	m.mismatches.WithLabelValues(label(group), node).Inc()
}

func (m *Metrics) link(node string, up bool) { m.linkUp.WithLabelValues(node).Set(boolGauge(up)) }

func (m *Metrics) connected(node string, ok bool) {
	outcome := "ok"
	if !ok {
		outcome = "failed"
	}
	m.linkRetries.WithLabelValues(node, outcome).Inc()
}

func (m *Metrics) frame(node, direction string, bytes int) {
	m.linkFrames.WithLabelValues(node, direction).Inc()
	m.linkBytes.WithLabelValues(node, direction).Add(float64(bytes))
}
