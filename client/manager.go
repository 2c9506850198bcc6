package client

import (
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// After a leader was lost, the gap is to be the election and little else:
	// retries come every 50 to 100 ms at first and slow down over seconds.
	retryInitial    = 75 * time.Millisecond
	retryMultiplier = 1.03
	retryJitter     = 0.33
	retryMax        = time.Second

	// answerTimeout is how long Open and Attach may take before another node
	// is asked.
	answerTimeout = 3 * time.Second
	// stallTimeout is how long an operation may take before the link is
	// given up: its answer was lost somewhere.
	stallTimeout = 15 * time.Second
	// attachTries on one node before another is asked.
	// A node without a leader is left in another way, see leaderless.go.
	attachTries = 4
	// redirectsMax bounds how often hints are followed without progress:
	// after a leader was lost, nodes may point at each other for a while.
	redirectsMax = 3
	// maxCalls that wait for the manager; callers block beyond it.
	maxCalls = 64
)

type phase int

const (
	phaseDown   phase = iota // no link: dialling, or waiting for retryAt
	phaseIdle                // linked, nothing to attach for yet
	phaseOpen                // Open is sent
	phaseAttach              // Attach is sent
	phaseRetry               // linked, attach again at retryAt
	phaseLive                // attached: operations flow
)

// manager is the goroutine that owns link, session, requests and consumers of
// a Conn. Others reach it through the outbox and through calls.
type manager struct {
	conn  *Conn
	opts  *options
	out   *outbox
	calls chan func(*manager)
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when the manager has ended

	book       addressBook
	round      []string // still to be dialled in this round
	dialing    bool
	dialed     chan dialResult
	pause      *backoff.ExponentialBackOff
	redirects  int
	leader     string // address of the leader, if that is another node
	probeAt    time.Time
	probeAfter time.Duration
	lost       leaderless

	link     *link
	linkedAt time.Time
	phase    phase
	epochSet bool // the session's epoch is raised for this link
	tries    int  // of attaching on this link
	stream   uint32
	control  uint32 // stream of the Open or Attach under way
	retryAt  time.Time
	answerBy time.Time
	downAt   time.Time // since when operations do not flow
	reason   error     // why they do not
	wasLive  bool      // as consumers were told
	dead     bool      // the session is refused for good

	session   *session // nil until a node told its groups
	windowMax uint32
	requests  map[uint32]*request
	asked     []*request

	awaited map[uint64]*awaited // requests that were sent, by their numbers in the session
	toAsk   []*awaited          // whose answers are to be asked for
	asking  map[uint32]*awaited // by the stream of their Await

	consumers    map[uint32]*Consumer
	nextConsumer uint32
	strays       map[uint32]bool // consumers of a former holder of the session, cancelled
	rechecking   bool            // a goroutine looks whether consumers have ended
	recheckAgain bool            // and is to look once more
}

func newManager(c *Conn, addrs []string) *manager {
	return &manager{
		conn: c, opts: &c.opts, out: c.out,
		calls: make(chan func(*manager), maxCalls),
		stop:  make(chan struct{}), done: make(chan struct{}),
		book:   newAddressBook(addrs, c.opts.stay),
		dialed: make(chan dialResult, 1),
		pause: &backoff.ExponentialBackOff{
			InitialInterval: retryInitial, Multiplier: retryMultiplier,
			RandomizationFactor: retryJitter, MaxInterval: retryMax,
		},
		requests: map[uint32]*request{}, consumers: map[uint32]*Consumer{},
		awaited: map[uint64]*awaited{}, asking: map[uint32]*awaited{}, strays: map[uint32]bool{},
		downAt: time.Now(), lost: newLeaderless(),
	}
}

// run is the goroutine.
func (m *manager) run() {
	defer close(m.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	m.startRound("", time.Now())
	for {
		var frames <-chan incoming
		if m.link != nil {
			frames = m.link.frames
		}
		select {
		case in := <-frames:
			m.receive(in, time.Now())
		case d := <-m.dialed:
			m.connected(d, time.Now())
		case f := <-m.calls:
			f(m)
		case <-m.out.wake:
		case <-timer.C:
		case <-m.stop:
			m.shutdown()
			return
		}
		now := time.Now()
		next := m.advance(now)
		timer.Reset(max(time.Until(next), 0))
	}
}

// advance does what is due and what has become possible, and returns when to
// look again.
func (m *manager) advance(now time.Time) time.Time {
	next := now.Add(time.Minute)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	sooner(m.out.expire(now))
	sooner(m.out.expireSettles(now))
	sooner(m.keepLeases(now))
	switch m.phase {
	case phaseDown:
		if !m.dialing && !now.Before(m.retryAt) {
			m.startRound("", now)
		}
		if !m.dialing {
			sooner(m.retryAt)
		}
	case phaseIdle:
		if !m.dead && m.needsSession() {
			m.bind(now)
		}
	case phaseOpen, phaseAttach:
		if !now.Before(m.answerBy) {
			m.dropLink(localError(transport.CodeTimeout, "attach", m.link.hello.Node, "no answer", nil), true, now)
			m.startRound("", now)
		}
		sooner(m.answerBy)
	case phaseRetry:
		if !now.Before(m.retryAt) {
			m.bind(now)
		}
		sooner(m.retryAt)
	case phaseLive:
		sooner(m.checkStall(now))
		sooner(m.probe(now))
	}
	if m.link != nil {
		sooner(m.seek(now))
	}
	m.pumpRequests(now)
	sooner(m.nextRequest(now))
	if m.phase == phaseLive {
		m.pump(now)
	}
	if live := m.phase == phaseLive; live != m.wasLive {
		m.wasLive = live
		for _, k := range m.consumers {
			k.tellAttached(live && k.accepted)
		}
	}
	return next
}

// needsSession tells whether there is a reason to attach. A connection that
// only asks questions leaves no session behind.
func (m *manager) needsSession() bool {
	s := m.session
	return s != nil && (s.opened || s.resumed) || len(m.consumers) > 0 || m.out.hasWork()
}

// pump sends what may be sent.
func (m *manager) pump(now time.Time) {
	m.pumpCredits()
	if !m.pumpAwaits() {
		return
	}
	for {
		if !m.link.hasRoom() {
			return
		}
		if op := m.session.next(); op != nil {
			m.sendOperation(op, now)
			continue
		}
		if !m.session.hasRoom(m.windowMax) {
			return
		}
		p := m.nextPayload()
		if p == nil {
			return
		}
		m.session.add(p)
	}
}

// nextPayload takes what is to be numbered next: settles, because they make
// room, what changes queues and consumers, messages.
func (m *manager) nextPayload() payload {
	if b := m.out.nextSettles(m.out.hasControl()); b != nil {
		return b
	}
	if c := m.out.nextControl(); c != nil {
		return c
	}
	return m.out.nextBatch()
}

func (m *manager) sendOperation(op *operation, now time.Time) {
	header := m.session.sending(op, m.newStream(), now)
	m.send(op.payload.opcode(), op.stream, op.payload.size(), func(dst []byte) []byte {
		return op.payload.appendTo(dst, header)
	})
	if u, ok := op.payload.(unconfirmed); ok {
		m.out.sentOff(u.batch)
	}
}

// send queues a frame. A link that refuses it is dead: its reader says so,
// and what was sent is then sent again elsewhere.
func (m *manager) send(op transport.Op, stream uint32, size int, body func(dst []byte) []byte) {
	if err := m.link.send(op, stream, size, body); err != nil {
		m.opts.logger.Debug("frame not sent", "op", op.String(), "node", m.link.hello.Node, "error", err)
	}
}

// newStream is never 0 and unique on the link for as long as it matters.
func (m *manager) newStream() uint32 {
	m.stream++
	if m.stream == 0 {
		m.stream++
	}
	return m.stream
}

func (m *manager) checkStall(now time.Time) time.Time {
	oldest := m.session.oldest()
	if oldest.IsZero() {
		return oldest
	}
	if due := oldest.Add(stallTimeout); now.Before(due) {
		return due
	}
	m.dropLink(localError(transport.CodeTimeout, "operation", m.link.hello.Node, "no answer", nil), true, now)
	m.startRound("", now)
	return time.Time{}
}

// stalled notes why operations do not flow; nil: they do.
func (m *manager) stalled(err error) {
	m.reason = err
	m.out.stalled(err)
}
