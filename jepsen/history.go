package jepsen

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Key is a message's value: unique in a run, carried in the body, so that a
// message is known again without trusting any identity the broker gives it.
type Key struct {
	Producer uint32
	Seq      uint64
}

// String gives the form that the body begins with.
func (k Key) String() string { return fmt.Sprintf("p%d-%d", k.Producer, k.Seq) }

// ParseKey reads what String wrote, up to the first space.
func ParseKey(body []byte) (Key, error) {
	text, _, _ := strings.Cut(string(body[:min(len(body), 64)]), " ")
	producer, seq, found := strings.Cut(strings.TrimPrefix(text, "p"), "-")
	if !found || !strings.HasPrefix(text, "p") {
		return Key{}, fmt.Errorf("%q is no key", text)
	}
	p, err := strconv.ParseUint(producer, 10, 32)
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", text, err)
	}
	s, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", text, err)
	}
	return Key{Producer: uint32(p), Seq: s}, nil
}

// Outcome of a publish or of an ack, as the client was told.
type Outcome uint8

const (
	Pending   Outcome = 0 // no answer yet
	Confirmed Outcome = 1
	Failed    Outcome = 2 // the broker said that it certainly did nothing
	Unknown   Outcome = 3 // it may or may not have happened
)

// delivered is one time that a handler was given the message.
type delivered struct {
	consumer    uint32
	attempt     int
	token       uint64
	redelivered bool
	id          string
	at          time.Time
	acking      bool
	ack         Outcome
	ackedAt     time.Time
}

// message is everything that happened to one key.
type message struct {
	attempted  time.Time // zero: never
	outcome    Outcome
	id         string
	deliveries []delivered
}

// History is what the clients of one run did and saw. All of them live in this
// process, so that its clock orders their events. It is safe for concurrent use.
type History struct {
	mu          sync.Mutex
	messages    map[Key]*message
	attempted   int
	unconfirmed int // attempted and not answered
	held        int // delivered, and no ack sent yet
	delivered   int
	confirmed   int
	lastConfirm time.Time
	mark        time.Time
	marked      bool // a publish that began after mark is confirmed
	widest      Gap
}

// Gap is the longest time between two confirms.
type Gap struct{ From, To time.Time }

// Length of the gap.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// NewHistory starts an empty history.
func NewHistory() *History { return &History{messages: map[Key]*message{}} }

func (h *History) message(k Key) *message {
	m := h.messages[k]
	if m == nil {
		m = &message{}
		h.messages[k] = m
	}
	return m
}

// Attempt notes that a client is about to publish k.
func (h *History) Attempt(k Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.message(k).attempted = time.Now()
	h.attempted++
	h.unconfirmed++
}

// Published notes the answer to a publish. The id is the receipt's, as text,
// and empty unless the publish was confirmed.
func (h *History) Published(k Key, outcome Outcome, id string) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.message(k)
	m.outcome, m.id = outcome, id
	h.unconfirmed--
	if outcome != Confirmed {
		return
	}
	h.confirmed++
	h.marked = h.marked || m.attempted.After(h.mark)
	if !h.lastConfirm.IsZero() && now.Sub(h.lastConfirm) > h.widest.Length() {
		h.widest = Gap{From: h.lastConfirm, To: now}
	}
	h.lastConfirm = now
}

// Seen is one delivery, as a handler was given it.
type Seen struct {
	Consumer    uint32
	Attempt     int
	Token       uint64
	Redelivered bool
	ID          string
}

// Delivered notes that a handler was given k.
func (h *History) Delivered(k Key, s Seen) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.message(k)
	m.deliveries = append(m.deliveries, delivered{
		consumer: s.Consumer, attempt: s.Attempt, token: s.Token,
		redelivered: s.Redelivered, id: s.ID, at: now,
	})
	h.held++
	h.delivered++
}

// Acking notes that the ack of the delivery of k with this token is about to
// be sent; until then the message is certainly leased.
func (h *History) Acking(k Key, token uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.message(k).find(token); d != nil && !d.acking {
		d.acking = true
		h.held--
	}
}

// Acked notes the answer to the ack of the delivery of k with this token.
func (h *History) Acked(k Key, token uint64, outcome Outcome) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.message(k).find(token); d != nil {
		d.ack, d.ackedAt = outcome, now
	}
}

// find gives the latest delivery with the token whose ack has no answer.
func (m *message) find(token uint64) *delivered {
	for i := len(m.deliveries) - 1; i >= 0; i-- {
		if d := &m.deliveries[i]; d.token == token && d.ack == Pending {
			return d
		}
	}
	return nil
}

// Counts is how far a run has come.
type Counts struct {
	Attempted   int
	Confirmed   int
	Unconfirmed int // publishes without an answer
	Delivered   int
	Held        int // deliveries whose ack was not sent yet: certainly leased
}

// Counts tells how far the run has come.
func (h *History) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Counts{Attempted: h.attempted, Confirmed: h.confirmed, Unconfirmed: h.unconfirmed, Delivered: h.delivered, Held: h.held}
}

// Widest is the longest time between two confirms since ResetGap.
func (h *History) Widest() Gap {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.widest
}

// Mark begins the wait for AwaitMarked. Confirms that were on their way when a
// process died say nothing about those that come after it.
func (h *History) Mark() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mark, h.marked = time.Now(), false
}

func (h *History) isMarked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.marked
}

// ResetGap forgets the gaps seen so far; the next confirm is measured from the
// last one before the call.
func (h *History) ResetGap() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.widest = Gap{}
}
