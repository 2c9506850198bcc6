package broker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// reasonsOf tells what in the state keeps a queue from handing out, the most
// important first. It is not ok without such a queue. messageMax is the largest
// message that this node takes from a client, in bytes.
func reasonsOf(s *fsm.State, name string, messageMax int) (reasons []transport.ExplainReason, ok bool) {
	x, ok := s.Explain(name, uint32(min(messageMax, fsm.MaxMessageBytes)))
	for i := range x.Reasons {
		y := &x.Reasons[i]
		r := transport.ExplainReason{Kind: y.Kind, Count: y.Count, Name: y.Name, Text: reasonText(y), AtMs: y.WallMillis, TakesBytes: y.Takes}
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
		return some(y.Count, "its only consumer is not connected", "none of its %d consumers is connected")
	case fsm.WhyNoCredit:
		return some(y.Of, "the only consumer", fmt.Sprintf("%d of %%d consumers", y.Count)) +
			some(y.Count, " has no room: it holds", " have no room: they hold") + some(y.Held, " 1 unsettled message", " %d unsettled messages")
	case fsm.WhyAloneWaits:
		return some(y.Count, "1 message blamed for a crash goes alone: it waits for a consumer to settle the rest",
			"%d messages blamed for a crash go alone: each waits for a consumer to settle the rest") + fmt.Sprintf(", %d in all", y.Held)
	case fsm.WhyAloneHeld:
		return some(y.Count, "1 consumer works on a message blamed for a crash, and gets nothing else meanwhile",
			"%d consumers work on a message blamed for a crash, and get nothing else meanwhile")
	case fsm.WhyBreakerNeedsAcks:
		return some(y.Count, "the circuit breaker probes, and the only consumer that has room does not ack",
			"the circuit breaker probes, and the %d consumers that have room do not ack")
	case fsm.WhyExclusiveWaits:
		who := some(y.Count, "the queue is exclusive: 1 consumer stands by", "the queue is exclusive: %d consumers stand by")
		if y.LeaseMillis != 0 {
			return who + " until the active one, which is not connected, is given up"
		}
		return who + " for the active one"
	case fsm.WhyGroupsBusy:
		return some(y.Count, "1 message group waits for its holder to settle", "%d message groups wait for their holder to settle")
	case fsm.WhyGroupsBlocked:
		return some(y.Count, "1 message group waits for the retry of one of its messages", "%d message groups wait for the retry of one of their messages")
	case fsm.WhyGroupsParked:
		return some(y.Count, "1 message group is parked until it is resumed", "%d message groups are parked until they are resumed")
	case fsm.WhyBreakerOpen:
		if y.ByHand {
			return "the circuit breaker is open until it is closed by hand"
		}
		return "the circuit breaker is open"
	case fsm.WhyBreakerProbing:
		return some(y.Count, "the circuit breaker waits for 1 message that probes", "the circuit breaker waits for %d messages that probe")
	case fsm.WhyRate:
		return "the queue's rate is used up"
	case fsm.WhyScheduled:
		return some(y.Count, "1 message is scheduled for later", "%d messages are scheduled for later")
	case fsm.WhyRetrying:
		return some(y.Count, "1 message waits for its next attempt", "%d messages wait for their next attempt")
	case fsm.WhyMissed:
		what := some(y.Count, "the subscription missed 1 message of topic ", "the subscription missed %d messages of topic ") + y.Name
		switch {
		case !y.Full:
			return what
		case y.Takes < 0:
			return what + ", and misses more, as it is full"
		}
		return what + fmt.Sprintf(", and misses those above %d bytes, as it is nearly full", y.Takes)
	case fsm.WhyTopicRefuses:
		if y.Takes < 0 {
			return fmt.Sprintf("the topic refuses what its required subscription %s matches, as that is full", y.Name)
		}
		return fmt.Sprintf("the topic refuses messages above %d bytes that its required subscription %s matches, as that is nearly full", y.Takes, y.Name)
	case fsm.WhyTopicUnseen:
		return some(y.Count, "1 required subscription", "%d required subscriptions") + " of topic " + y.Name +
			some(y.Count, " was not looked at, and may refuse messages, too", " were not looked at, and may refuse messages, too")
	case fsm.WhyParked:
		return some(y.Count, "1 dead message waits for room in ", "%d dead messages wait for room in ") + y.Name
	}
	return y.Kind
}

// some says how many: one in its own words, others with their number in place
// of %d, if that is in theirs.
func some(n uint64, one, others string) string {
	if n == 1 {
		return one
	}
	return strings.Replace(others, "%d", strconv.FormatUint(n, 10), 1)
}
