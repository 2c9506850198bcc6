package broker

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// reasonsOf tells what in the state keeps a queue from handing out, the most
// important first. It is not ok without such a queue.
func reasonsOf(s *fsm.State, name string) (reasons []transport.ExplainReason, ok bool) {
	q, ok := s.Queue(name)
	if !ok {
		return nil, false
	}
	add := func(when bool, kind string, count uint64, atMs int64, format string, args ...any) {
		if when {
			reasons = append(reasons, transport.ExplainReason{
				Kind: kind, Count: count, AtMs: atMs, Text: fmt.Sprintf(format, args...),
			})
		}
	}
	until := int64(0)
	if q.Breaker.UntilMillis != 0 {
		until = estimate(q.Breaker.UntilMillis, s.Clock())
	}
	add(q.Paused, transport.ExplainPaused, 0, 0, "the queue is paused")
	add(q.Consumers == 0, transport.ExplainNoConsumer, 0, 0, "nobody consumes from the queue")
	add(q.Ready == 0, transport.ExplainEmpty, 0, 0, "no message is ready")
	add(q.Breaker.State == fsm.BreakerIsOpen, transport.ExplainBreakerOpen, 0, until, "the circuit breaker is open")
	add(q.Breaker.State == fsm.BreakerHalfOpen, transport.ExplainBreakerProbing, uint64(q.Breaker.Probes), 0, "the circuit breaker lets %d messages through to probe", q.Breaker.Probes)
	add(q.GroupsParked > 0, transport.ExplainGroupsParked, q.GroupsParked, 0, "%d message groups are parked until they are resumed", q.GroupsParked)
	add(q.Scheduled > 0, transport.ExplainScheduled, q.Scheduled, 0, "%d messages are scheduled for later", q.Scheduled)
	add(q.Retrying > 0, transport.ExplainRetrying, q.Retrying, 0, "%d messages wait for their next attempt", q.Retrying)
	add(q.Parked > 0, transport.ExplainParked, q.Parked, 0, "%d dead messages wait for room in %s", q.Parked, q.DeadLetter)
	return reasons, true
}
