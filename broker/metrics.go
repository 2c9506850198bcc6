package broker

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// metrics are what the broker counts. Gauges of queues and sessions are read
// from the state when they are asked for.
type metrics struct {
	b *Broker

	published   prometheus.Counter
	confirmed   prometheus.Counter
	delivered   prometheus.Counter
	settled     *prometheus.CounterVec
	settles     [transport.ActionExtend + 1]prometheus.Counter // of settled, by action
	replies     prometheus.Counter                             // of settled
	answers     *prometheus.CounterVec                         // by code
	refusals    *prometheus.CounterVec
	busy        *prometheus.CounterVec // by cause
	entryBytes  prometheus.Histogram
	entryOps    prometheus.Histogram
	commit      prometheus.Histogram
	answerTime  prometheus.Histogram
	lateness    map[string]prometheus.Observer // by clock
	connections prometheus.Gauge

	all      []prometheus.Collector
	inFlight *prometheus.Desc
	queued   *prometheus.Desc
	outbox   *prometheus.Desc
	sessions *prometheus.Desc
	bodies   *prometheus.Desc
	messages *prometheus.Desc
	bytes    *prometheus.Desc
	alarms   *prometheus.Desc
	breakers *prometheus.Desc
	missed   *prometheus.Desc // of a queue
	misses   *prometheus.Desc // of a group
}

var actionNames = map[transport.Action]string{
	transport.ActionAck: "ack", transport.ActionNack: "nack",
	transport.ActionReject: "reject", transport.ActionExtend: "extend",
}

func newMetrics(b *Broker) *metrics {
	m := &metrics{b: b}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "ferry", Subsystem: "broker", Name: name, Help: help})
		m.all = append(m.all, c)
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "ferry", Subsystem: "broker", Name: name, Help: help, Buckets: buckets,
		})
		m.all = append(m.all, h)
		return h
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "ferry", Subsystem: "broker", Name: name, Help: help}, []string{label})
		m.all = append(m.all, c)
		return c
	}
	m.published = counter("published_messages_total", "Messages that clients of this node published, judged.")
	m.confirmed = counter("confirmed_messages_total", "Messages of those that were taken.")
	m.delivered = counter("delivered_messages_total", "Messages sent to consumers connected to this node.")
	m.settled = vec("settles_total", "Settles that clients of this node sent.", "action")
	for a, name := range actionNames {
		m.settles[a] = m.settled.WithLabelValues(name)
	}
	m.replies = m.settled.WithLabelValues("reply")
	m.answers = vec("answers_total", "Answers to requests sent to clients of this node, by code.", "code")
	m.busy = vec("busy_total", "Operations and messages refused as busy to clients of this node, by cause.", "cause")
	m.refusals = vec("refusals_total", "Requests and connections refused, by code.", "code")
	m.entryBytes = histogram("entry_bytes", "Size of proposed entries.", prometheus.ExponentialBuckets(256, 4, 7))
	m.entryOps = histogram("entry_operations", "Operations in proposed entries.", prometheus.ExponentialBuckets(1, 4, 7))
	m.commit = histogram("commit_seconds", "From the proposal of an entry until it was applied here.", prometheus.ExponentialBuckets(0.000_25, 2, 16))
	m.answerTime = histogram("operation_seconds", "From the arrival of an operation until its verdict.", prometheus.ExponentialBuckets(0.000_25, 2, 16))
	lateness := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "ferry", Subsystem: "broker", Name: "timer_lateness_seconds",
		Help:    "From a deadline of the state, the first of those due, until it was acted on by this leader, by clock.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
	}, []string{"clock"})
	m.all = append(m.all, lateness)
	m.lateness = map[string]prometheus.Observer{
		"lease": lateness.WithLabelValues("lease"), "wall": lateness.WithLabelValues("wall"),
	}
	m.connections = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "ferry", Subsystem: "broker", Name: "connections", Help: "Clients connected."})
	m.all = append(m.all, m.connections)

	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName("ferry", "broker", name), help, labels, nil)
	}
	m.inFlight = desc("entries_in_flight", "Entries proposed and not decided.", "group")
	m.queued = desc("submit_queue_bytes", "Commands waiting to be proposed or forwarded.", "group")
	m.outbox = desc("outbox_bytes", "Bytes waiting to be written to clients.")
	m.sessions = desc("sessions", "Sessions attached through this node.", "group")
	m.bodies = desc("body_bytes", "Bytes of the group's waiting messages.", "group")
	m.alarms = desc("alarm", "1 while this node refuses publishes of the groups that it leads, by reason.", "group", "alarm")
	m.messages = desc("queue_messages", "Messages of a queue by state; the first queues by name, up to a bound.", "group", "queue", "state")
	m.breakers = desc("queue_breaker", "State of a queue's circuit breaker: 1 closed, 2 open, 3 probing.", "group", "queue")
	m.missed = desc("queue_missed_messages_total", "Messages of its topic that a subscription could not take since it was made; the first queues by name, up to a bound.", "group", "queue")
	m.misses = desc("missed_messages_total", "Messages that subscriptions of the group could not take, each counted, since this replica's state was made or restored.", "group")
	m.bytes = desc("queue_bytes", "Logical bytes of a queue's messages.", "group", "queue")
	return m
}

// judged counts a verdict on an operation of a client here.
func (m *metrics) judged(o *op, r *transport.Result, now int64) {
	if o.conn == nil {
		return
	}
	m.answerTime.Observe(float64(now-o.since) / 1e9)
	if r.Code != transport.CodeOK {
		m.refusedWith(r)
	}
	for i := range r.Items {
		if it := &r.Items[i]; it.Code == transport.CodeBusy {
			m.busy.WithLabelValues(it.Cause.String()).Inc()
		}
	}
	switch o.kind {
	case fsm.KindPublish, fsm.KindCommit, fsm.KindRequest:
	default:
		return
	}
	m.published.Add(float64(o.items))
	taken := 0
	for i := range r.Items {
		if r.Items[i].Code.Accepted() {
			taken++
		}
	}
	if len(r.Items) == 0 && r.Code.Accepted() {
		taken = int(o.items)
	}
	m.confirmed.Add(float64(taken))
}

// late counts how late a deadline was acted on.
func (m *metrics) late(clock string, by time.Duration) { m.lateness[clock].Observe(by.Seconds()) }

func (m *metrics) settling(items []transport.SettleItem) {
	var n [transport.ActionExtend + 1]int
	for i := range items {
		n[items[i].Action]++
	}
	for a, count := range n {
		if count > 0 {
			m.settles[a].Add(float64(count))
		}
	}
}

func (m *metrics) refused(c transport.Code) {
	m.refusals.WithLabelValues(c.String()).Inc()
}

// refusedWith counts an operation that was refused.
func (m *metrics) refusedWith(r *transport.Result) {
	m.refused(r.Code)
	if r.Code == transport.CodeBusy {
		m.busy.WithLabelValues(r.Cause.String()).Inc()
	}
}

// Describe is of prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(ch)
	}
	for _, d := range []*prometheus.Desc{m.inFlight, m.queued, m.outbox, m.sessions, m.bodies, m.messages, m.bytes, m.alarms, m.breakers, m.missed, m.misses} {
		ch <- d
	}
}

// Collect is of prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(ch)
	}
	value := func(of prometheus.ValueType) figure {
		return func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, of, v, labels...)
		}
	}
	gauge, counter := value(prometheus.GaugeValue), value(prometheus.CounterValue)
	outbox := 0
	m.b.connsMu.Lock()
	for c := range m.b.conns {
		outbox += c.t.Queued()
	}
	m.b.connsMu.Unlock()
	gauge(m.outbox, float64(outbox))
	for _, l := range m.b.lanes {
		m.collectLane(l, gauge, counter)
	}
}

// figure hands over what was read.
type figure func(d *prometheus.Desc, v float64, labels ...string)

func (m *metrics) collectLane(l *lane, gauge, counter figure) {
	group := strconv.FormatUint(uint64(l.id), 10)
	l.mu.Lock()
	inFlight, queued := l.inFlight, l.queue.bytes
	var on [alarms]bool
	for a := range alarms {
		on[a] = l.alarmed(a)
	}
	l.mu.Unlock()
	for a, is := range on {
		v := 0.0
		if is {
			v = 1
		}
		gauge(m.alarms, v, group, alarmKinds[a].name)
	}
	gauge(m.inFlight, float64(inFlight), group)
	gauge(m.queued, float64(queued), group)
	gauge(m.sessions, float64(l.sessions.count()), group)

	var page []fsm.QueueInfo
	var bodies, misses uint64
	l.group.View(func(s *fsm.State) {
		page, _ = s.Queues("", "", m.b.o.MetricQueues)
		bodies, misses = s.Bytes(), s.Misses()
	})
	gauge(m.bodies, float64(bodies), group)
	counter(m.misses, float64(misses), group)
	for i := range page {
		q := &page[i]
		gauge(m.messages, float64(q.Ready), group, q.Name, "ready")
		gauge(m.messages, float64(q.Leased), group, q.Name, "leased")
		gauge(m.messages, float64(q.Parked), group, q.Name, "parked")
		gauge(m.messages, float64(q.Scheduled), group, q.Name, "scheduled")
		gauge(m.messages, float64(q.Retrying), group, q.Name, "retrying")
		if q.Settings.Breaker {
			gauge(m.breakers, float64(q.Breaker.State), group, q.Name)
		}
		if q.Topic != "" {
			counter(m.missed, float64(q.Missed), group, q.Name)
		}
		gauge(m.bytes, float64(q.Bytes), group, q.Name)
	}
}
