package cli

import (
	"context"
	"errors"
	"sync"

	"github.com/ferrymq/ferrymq/client"
)

// putOffMax is how many messages that were put off are kept before they are
// published again; the client's window may add as many as it has.
const putOffMax = 1000

// putOff are messages that an entry of the log had no room for among those that it
// put into subscriptions. No queue refused them: to send many at once is no fault,
// so they are published again.
type putOff struct {
	mu  sync.Mutex
	all []client.Message
}

// add tells whether a message was put off, and keeps it then.
func (p *putOff) add(m client.Message, err error) bool {
	if !errors.Is(err, client.ErrEntryFull) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, m)
	return true
}

// publish publishes those that are kept, if they are so many at least.
func (p *putOff) publish(ctx context.Context, conn *client.Conn, queue string, least int, told func(client.Message, client.Receipt, error)) error {
	p.mu.Lock()
	all := p.all
	if len(all) < least {
		p.mu.Unlock()
		return nil
	}
	p.all = nil
	p.mu.Unlock()
	for len(all) > 0 {
		n := min(len(all), putOffMax)
		results, err := conn.PublishBatch(ctx, queue, all[:n])
		if err != nil {
			return err
		}
		for i, r := range results {
			told(all[i], r.Receipt, r.Err)
		}
		all = all[n:]
	}
	return nil
}
