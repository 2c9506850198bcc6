package client

import (
	"context"
	"slices"

	"github.com/ferrymq/ferrymq/transport"
)

// Publishing at most once: what was sent is never sent again, so what a lost
// link or leader may have swallowed is gone. Such messages have lanes of their
// own, as a frame goes again as a whole or not at all. The answers come all the
// same, and make room in the window.

// PublishUnconfirmed publishes a message at most once: it is sent once, never
// again, and nobody learns what became of it. It is lost if the queue does not
// exist or refuses it, and if the connection, its node, the session or the
// leader is lost before it is stored. Publish is for messages that matter.
//
// What is under way may be lost as well when the connection moves of its own
// accord: to the node that leads, soon after it was made or after another node
// was elected, which WithFollowLeader(false) keeps it from, and away from a node
// that is shutting down.
//
// It waits for nothing but room: while the window (WithMaxInFlight) is full of
// what no node has answered, until ctx ends. An error means that the message
// was not sent and never will be. Without a connection it waits in the window.
// Flush waits until what was published before has been sent; Close drops what
// has not.
func (c *Conn) PublishUnconfirmed(ctx context.Context, queue string, m Message) error {
	if err := checkQueue("publish", queue); err != nil {
		return err
	}
	r, err := recordOf(&m)
	if err != nil {
		return about(err, "publish", queue)
	}
	return c.out.whenRoom(ctx, queue, func() (bool, error) {
		o := c.out
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.pushLocked(laneKey{queue, true}, &r, message{})
	})
}

// unconfirmed is a batch that is sent once.
type unconfirmed struct{ *batch }

func sentOnce(p payload) bool {
	_, once := p.(unconfirmed)
	return once
}

// sentOff ends Flush's wait for the batch: its outcome is nobody's business.
func (o *outbox) sentOff(b *batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.barrier.leave(b.gen)
	b.gen = nil
}

// giveUpSent ends what was sent once and may have been lost, before anything is
// sent again. That a late one is still stored does no harm: it has its number.
func (m *manager) giveUpSent() {
	for _, op := range slices.Clone(m.session.operations) { // ending one changes them
		if sentOnce(op.payload) && op.sends > 0 {
			m.end(op, nil, localError(transport.CodeUnknownOutcome, "", "", "", nil))
		}
	}
}
