package jepsen

import (
	"cmp"
	"slices"
)

// Floors is how much a run has to have checked before its verdict counts. A
// checker that saw nothing finds nothing wrong.
type Floors struct {
	Confirmed   int
	Delivered   int
	Acked       int
	Redelivered int
}

// Account is what a history comes to.
type Account struct {
	Published   int // attempted
	Confirmed   int
	Failed      int
	Unknown     int
	Unanswered  int // publishes that never got any answer
	Delivered   int // deliveries, repeats included
	Consumed    int // messages delivered at least once
	Redelivered int // deliveries after a message's first
	Acked       int // messages with an ack answered ok
	AckUnknown  int // messages whose only ack has an unknown outcome
	Recovered   int // delivered though their publish was not confirmed

	Lost       []Key // confirmed and never delivered
	Unsettled  []Key // confirmed, delivered, and no ack of theirs was ever accepted
	Unexpected []Key // delivered and never published
	Ghosts     []Key // delivered though their publish certainly failed
	Duplicated []Key // delivered again without being flagged as a redelivery
	AfterAck   []Key // delivered again after an ack was answered ok
	TwiceAcked []Key // two acks were answered ok
	Tokens     []Key // a later attempt without a higher token
	Identity   []Key // delivered under another id than the receipt's
	Missed     []string
}

// Judge accounts for a finished history: every client has stopped and the
// queue was drained. It reads the history once and is linear in its events.
func Judge(h *History, floors Floors) Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	var a Account
	for k, m := range h.messages {
		a.publish(k, m)
		a.deliver(k, m)
	}
	for _, list := range a.faults() {
		slices.SortFunc(*list.keys, compareKeys)
	}
	a.measure(floors)
	return a
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Producer, b.Producer), cmp.Compare(a.Seq, b.Seq))
}

func (a *Account) publish(k Key, m *message) {
	if m.attempted.IsZero() {
		a.Unexpected = append(a.Unexpected, k)
		return
	}
	a.Published++
	switch m.outcome {
	case Confirmed:
		a.Confirmed++
		if len(m.deliveries) == 0 {
			a.Lost = append(a.Lost, k)
		}
		return
	case Failed:
		a.Failed++
		if len(m.deliveries) > 0 {
			a.Ghosts = append(a.Ghosts, k)
		}
	case Unknown:
		a.Unknown++
	case Pending:
		a.Unanswered++
	}
	if len(m.deliveries) > 0 {
		a.Recovered++
	}
}

func (a *Account) deliver(k Key, m *message) {
	if len(m.deliveries) == 0 {
		return
	}
	a.Consumed++
	a.Delivered += len(m.deliveries)
	a.Redelivered += len(m.deliveries) - 1
	a.settle(k, m)
	a.repeat(k, m)
	for _, d := range m.deliveries {
		if m.id != "" && d.id != "" && d.id != m.id {
			a.Identity = append(a.Identity, k)
			break
		}
	}
}

// settle judges the acks of one message.
func (a *Account) settle(k Key, m *message) {
	acked, unknown := 0, 0
	for _, d := range m.deliveries {
		switch d.ack {
		case Confirmed:
			acked++
		case Unknown:
			unknown++
		case Pending, Failed:
		}
	}
	switch {
	case acked > 1:
		a.TwiceAcked = append(a.TwiceAcked, k)
		a.Acked++
	case acked == 1:
		a.Acked++
	case unknown > 0:
		a.AckUnknown++
	case m.outcome == Confirmed:
		a.Unsettled = append(a.Unsettled, k)
	}
}

// repeat judges deliveries after the first. Two leases of a message are two
// attempts with two tokens; only attempt one is not flagged. Once an ack was
// answered ok, the message is gone: no token above the acked one can exist,
// and no handler may be given it any more.
func (a *Account) repeat(k Key, m *message) {
	byAttempt := slices.Clone(m.deliveries)
	slices.SortStableFunc(byAttempt, func(x, y delivered) int { return cmp.Compare(x.attempt, y.attempt) })
	duplicated, tokens := false, false
	for i, d := range byAttempt {
		duplicated = duplicated || d.redelivered != (d.attempt > 1)
		if i == 0 {
			continue
		}
		before := byAttempt[i-1]
		duplicated = duplicated || d.attempt == before.attempt
		tokens = tokens || d.token <= before.token
	}
	if duplicated {
		a.Duplicated = append(a.Duplicated, k)
	}
	if tokens {
		a.Tokens = append(a.Tokens, k)
	}
	if deliveredAfterAck(m) {
		a.AfterAck = append(a.AfterAck, k)
	}
}

func deliveredAfterAck(m *message) bool {
	for _, acked := range m.deliveries {
		if acked.ack != Confirmed {
			continue
		}
		for _, d := range m.deliveries {
			if d.token > acked.token || d.at.After(acked.ackedAt) {
				return true
			}
		}
	}
	return false
}
