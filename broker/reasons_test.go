package broker

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
)

// TestReasonsAreSentences: one of something is told in the singular, several are
// told by their number.
func TestReasonsAreSentences(t *testing.T) {
	for _, c := range []struct {
		why  fsm.Why
		text string
	}{
		{fsm.Why{Kind: fsm.WhyConsumersDetached, Count: 1}, "its only consumer is not connected"},
		{fsm.Why{Kind: fsm.WhyConsumersDetached, Count: 2}, "none of its 2 consumers is connected"},
		{fsm.Why{Kind: fsm.WhyNoCredit, Count: 1, Of: 1, Held: 1}, "the only consumer has no room: it holds 1 unsettled message"},
		{fsm.Why{Kind: fsm.WhyNoCredit, Count: 1, Of: 3, Held: 11}, "1 of 3 consumers has no room: it holds 11 unsettled messages"},
		{fsm.Why{Kind: fsm.WhyNoCredit, Count: 2, Of: 3, Held: 4}, "2 of 3 consumers have no room: they hold 4 unsettled messages"},
		{fsm.Why{Kind: fsm.WhyAloneWaits, Count: 1, Held: 2}, "1 message blamed for a crash goes alone: it waits for a consumer to settle the rest, 2 in all"},
		{fsm.Why{Kind: fsm.WhyAloneWaits, Count: 3, Held: 9}, "3 messages blamed for a crash go alone: each waits for a consumer to settle the rest, 9 in all"},
		{fsm.Why{Kind: fsm.WhyAloneHeld, Count: 1}, "1 consumer works on a message blamed for a crash, and gets nothing else meanwhile"},
		{fsm.Why{Kind: fsm.WhyAloneHeld, Count: 2}, "2 consumers work on a message blamed for a crash, and get nothing else meanwhile"},
		{fsm.Why{Kind: fsm.WhyBreakerNeedsAcks, Count: 1}, "the circuit breaker probes, and the only consumer that has room does not ack"},
		{fsm.Why{Kind: fsm.WhyBreakerNeedsAcks, Count: 2}, "the circuit breaker probes, and the 2 consumers that have room do not ack"},
		{fsm.Why{Kind: fsm.WhyExclusiveWaits, Count: 1, LeaseMillis: 1}, "the queue is exclusive: 1 consumer stands by until the active one, which is not connected, is given up"},
		{fsm.Why{Kind: fsm.WhyExclusiveWaits, Count: 2}, "the queue is exclusive: 2 consumers stand by for the active one"},
		{fsm.Why{Kind: fsm.WhyGroupsBusy, Count: 1}, "1 message group waits for its holder to settle"},
		{fsm.Why{Kind: fsm.WhyGroupsBusy, Count: 2}, "2 message groups wait for their holder to settle"},
		{fsm.Why{Kind: fsm.WhyGroupsBlocked, Count: 1}, "1 message group waits for the retry of one of its messages"},
		{fsm.Why{Kind: fsm.WhyGroupsBlocked, Count: 2}, "2 message groups wait for the retry of one of their messages"},
		{fsm.Why{Kind: fsm.WhyGroupsParked, Count: 1}, "1 message group is parked until it is resumed"},
		{fsm.Why{Kind: fsm.WhyGroupsParked, Count: 2}, "2 message groups are parked until they are resumed"},
		{fsm.Why{Kind: fsm.WhyBreakerProbing, Count: 1}, "the circuit breaker waits for 1 message that probes"},
		{fsm.Why{Kind: fsm.WhyBreakerProbing, Count: 2}, "the circuit breaker waits for 2 messages that probe"},
		{fsm.Why{Kind: fsm.WhyScheduled, Count: 1}, "1 message is scheduled for later"},
		{fsm.Why{Kind: fsm.WhyScheduled, Count: 2}, "2 messages are scheduled for later"},
		{fsm.Why{Kind: fsm.WhyRetrying, Count: 1}, "1 message waits for its next attempt"},
		{fsm.Why{Kind: fsm.WhyRetrying, Count: 11}, "11 messages wait for their next attempt"},
		{fsm.Why{Kind: fsm.WhyMissed, Count: 1, Name: "t"}, "the subscription missed 1 message of topic t"},
		{fsm.Why{Kind: fsm.WhyMissed, Count: 2, Name: "t", Full: true, Takes: -1}, "the subscription missed 2 messages of topic t, and misses more, as it is full"},
		{fsm.Why{Kind: fsm.WhyMissed, Count: 2, Name: "t", Full: true}, "the subscription missed 2 messages of topic t, and misses those above 0 bytes, as it is nearly full"},
		{fsm.Why{Kind: fsm.WhyTopicRefuses, Count: 2, Name: "s", Takes: -1}, "the topic refuses what its required subscription s matches, as that is full"},
		{fsm.Why{Kind: fsm.WhyTopicRefuses, Count: 1, Name: "s", Takes: 9}, "the topic refuses messages above 9 bytes that its required subscription s matches, as that is nearly full"},
		{fsm.Why{Kind: fsm.WhyTopicUnseen, Count: 1, Name: "t"}, "1 required subscription of topic t was not looked at, and may refuse messages, too"},
		{fsm.Why{Kind: fsm.WhyTopicUnseen, Count: 2, Name: "t"}, "2 required subscriptions of topic t were not looked at, and may refuse messages, too"},
		{fsm.Why{Kind: fsm.WhyParked, Count: 1, Name: "q.dlq"}, "1 dead message waits for room in q.dlq"},
		{fsm.Why{Kind: fsm.WhyParked, Count: 2, Name: "q.dlq"}, "2 dead messages wait for room in q.dlq"},
	} {
		if got := reasonText(&c.why); got != c.text {
			t.Errorf("%+v: %q, want %q", c.why, got, c.text)
		}
	}
}
