package broker

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// reasonsOf tells what in the state keeps a queue from handing out, the most
// important first. It is not ok without such a queue.
func reasonsOf(s *fsm.State, name string) (reasons []transport.ExplainReason, ok bool) {
	x, ok := s.Explain(name)
	for i := range x.Reasons {
		y := &x.Reasons[i]
		r := transport.ExplainReason{Kind: y.Kind, Count: y.Count, Name: y.Name, Text: reasonText(y), AtMs: y.WallMillis}
		if y.Kind == fsm.WhyAloneWaits {
			r.Name = fmt.Sprintf("%x/%d", y.Session, y.Consumer)
		}
		if y.LeaseMillis != 0 {
			r.AtMs = estimate(y.LeaseMillis, s.Clock())
		}
		reasons = append(reasons, r)
	}
	return reasons, ok
}

// reasonText says it to a person.
func reasonText(y *fsm.Why) string {
	switch y.Kind {
	case fsm.WhyEmpty:
		return "no message waits"
	case fsm.WhyPaused:
		return "the queue is paused"
	case fsm.WhyNoConsumer:
		return "nobody consumes from the queue"
	case fsm.WhyConsumersDetached:
		return fmt.Sprintf("none of its %d consumers is connected", y.Count)
	case fsm.WhyNoCredit:
		return fmt.Sprintf("%d of %d consumers have no room: they hold %d unsettled messages", y.Count, y.Of, y.Held)
	case fsm.WhyAloneWaits:
		return fmt.Sprintf("%d messages blamed for a crash go alone: each waits for a consumer to settle the rest, %d in all", y.Count, y.Held)
	case fsm.WhyAloneHeld:
		return fmt.Sprintf("%d consumers work on a message blamed for a crash, and get nothing else meanwhile", y.Count)
	case fsm.WhyBreakerNeedsAcks:
		return fmt.Sprintf("the circuit breaker probes, and the %d consumers that have room do not ack", y.Count)
	case fsm.WhyExclusiveWaits:
		if y.LeaseMillis != 0 {
			return fmt.Sprintf("the queue is exclusive: %d consumers stand by until the active one, which is not connected, is given up", y.Count)
		}
		return fmt.Sprintf("the queue is exclusive: %d consumers stand by for the active one", y.Count)
	case fsm.WhyGroupsBusy:
		return fmt.Sprintf("%d message groups wait for their holder to settle", y.Count)
	case fsm.WhyGroupsBlocked:
		return fmt.Sprintf("%d message groups wait for the retry of one of their messages", y.Count)
	case fsm.WhyGroupsParked:
		return fmt.Sprintf("%d message groups are parked until they are resumed", y.Count)
	case fsm.WhyBreakerOpen:
		if y.ByHand {
			return "the circuit breaker is open until it is closed by hand"
		}
		return "the circuit breaker is open"
	case fsm.WhyBreakerProbing:
		return fmt.Sprintf("the circuit breaker waits for %d messages that probe", y.Count)
	case fsm.WhyRate:
		return "the queue's rate is used up"
	case fsm.WhyScheduled:
		return fmt.Sprintf("%d messages are scheduled for later", y.Count)
	case fsm.WhyRetrying:
		return fmt.Sprintf("%d messages wait for their next attempt", y.Count)
	case fsm.WhyMissed:
		if y.Full {
			return fmt.Sprintf("the subscription missed %d messages of topic %s, and misses more, as it is full", y.Count, y.Name)
		}
		return fmt.Sprintf("the subscription missed %d messages of topic %s while it was full", y.Count, y.Name)
	case fsm.WhyTopicRefuses:
		return fmt.Sprintf("the topic refuses what its required subscription %s matches, as that is full", y.Name)
	case fsm.WhyParked:
		return fmt.Sprintf("%d dead messages wait for room in %s", y.Count, y.Name)
	}
	return y.Kind
}
