package broker

import (
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

const idleWake = time.Minute // a runner without anything to wait for still looks

// proposal is an entry under way.
type proposal struct {
	batch *batch // nil: only the clocks
	wait  func() (fsm.Applied, error)
	since int64
}

// run is the lane's runner: the only one who dispatches its commands.
func (l *lane) run() {
	defer close(l.proposals)
	timer := time.NewTimer(idleWake)
	defer timer.Stop()
	for {
		timer.Reset(l.dispatch())
		select {
		case <-l.wake:
		case <-timer.C:
		case <-l.b.ctx.Done():
			l.stop()
			return
		}
	}
}

// dispatch sends on whatever can be sent on now and returns when to look again.
func (l *lane) dispatch() time.Duration {
	for {
		l.mu.Lock()
		switch l.mode {
		case modeLead:
			b, wait := l.nextEntry()
			l.mu.Unlock()
			if wait > 0 {
				return wait
			}
			l.propose(b)
		case modeForward:
			b, first, wait := l.nextSubmit()
			leader := l.info.Leader
			l.mu.Unlock()
			if wait > 0 {
				return wait
			}
			l.forward(leader, b, first)
		default:
			l.mu.Unlock()
			return idleWake
		}
	}
}

// nextEntry takes the batch to propose now: nil with no wait is an entry that
// only moves the clocks. The caller holds l.mu.
func (l *lane) nextEntry() (*batch, time.Duration) {
	if l.inFlight >= l.b.o.EntriesInFlight {
		return nil, idleWake // the collector wakes the runner
	}
	now := l.b.now()
	if left := l.holdTill - now; left > 0 {
		return nil, time.Duration(left)
	}
	l.requeueOwed()
	if b := l.queue.take(); b != nil {
		l.roomMade()
		l.inFlight++
		l.clock.lastEntry = now
		return b, 0
	}
	// An entry under way moves the clocks as well; its collector looks again.
	if l.inFlight > 0 {
		return nil, idleWake
	}
	if wait := l.tickWait(now); wait > 0 {
		return nil, wait
	}
	l.inFlight++
	l.clock.lastEntry = now
	return nil, 0
}

// requeueOwed queues what the broker itself still has to say. The caller holds l.mu.
func (l *lane) requeueOwed() {
	owed := l.owed
	l.owed = nil
	for _, o := range owed {
		l.addOwn(o)
	}
}

func (l *lane) propose(b *batch) {
	p := proposal{batch: b, since: l.b.now()}
	if b == nil {
		p.wait = l.group.Propose(nil, 0)
	} else {
		l.b.metrics.entryBytes.Observe(float64(len(b.commands)))
		l.b.metrics.entryOps.Observe(float64(len(b.ops)))
		p.wait = l.group.Propose(b.commands, len(b.ops))
	}
	l.proposals <- p
}

// stop refuses what is queued, once the broker closes.
func (l *lane) stop() {
	l.mu.Lock()
	l.closed = true
	failed := failure{code: transport.CodeUnknownOutcome, ops: l.sent.takeAll()}
	queued := l.failQueue(transport.CodeShuttingDown)
	l.roomMade()
	l.mu.Unlock()
	l.tell(failed)
	l.tell(queued)
}
