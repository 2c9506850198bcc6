package cli

import (
	"context"
	"errors"
	"sync"

	"github.com/ferrymq/ferrymq/client"
)

const (
	// putOffMax is how many messages that were put off are kept before they are
	// published again; the client's window may add as many as it has.
	putOffMax = 1000

	// putOffBatch is how many are published again together: an entry puts 100,000
	// messages into subscriptions, and a topic has 10,000 of those at most. More
	// would share the time that one request has.
	putOffBatch = 10
)

// putOff are messages that an entry of the log had no room for among those that it
// put into subscriptions. No queue refused them: to send many at once is no fault,
// so they are published again.
type putOff struct {
	mu  sync.Mutex
	all []putOffMessage
}

// publishBatch publishes messages to the queue or topic at hand.
type publishBatch func(context.Context, []client.Message) ([]client.PublishResult, error)

type putOffMessage struct {
	message client.Message
	err     error // that put it off
}

// add tells whether a message was put off, and keeps it then.
func (p *putOff) add(m client.Message, err error) bool {
	if !errors.Is(err, client.ErrEntryFull) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, putOffMessage{m, err})
	return true
}

// publish publishes those that are kept, if they are so many at least, and tells
// what became of each. When ctx has ended, or none of a batch got in, the rest stays
// refused: it would only wait as long.
func (p *putOff) publish(ctx context.Context, least int, batch publishBatch, told func(client.Message, client.Receipt, error)) error {
	p.mu.Lock()
	all := p.all
	if len(all) < least {
		p.mu.Unlock()
		return nil
	}
	p.all = nil
	p.mu.Unlock()
	for more := true; more && ctx.Err() == nil && len(all) > 0; {
		var ms []client.Message
		for _, x := range all[:min(len(all), putOffBatch)] {
			ms = append(ms, x.message)
		}
		results, err := batch(context.WithoutCancel(ctx), ms)
		if err != nil {
			return err
		}
		more = false
		for i, r := range results {
			told(ms[i], r.Receipt, r.Err)
			more = more || r.Err == nil
		}
		all = all[len(ms):]
	}
	for _, x := range all {
		told(x.message, client.Receipt{}, x.err)
	}
	return nil
}
