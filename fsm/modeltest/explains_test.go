package modeltest

import (
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// explains tells whether the state has a cause for everything that it does not
// hand out: what is ready now, and what is not yet.
func explains(_ *Model, s *fsm.State) error {
	page, _ := s.Queues("", "", fsm.MaxQueues)
	for i := range page {
		q := &page[i]
		x, ok := s.Explain(q.Name)
		if !ok {
			return fmt.Errorf("queue %s is not explained", q.Name)
		}
		waits := q.Ready + q.Scheduled + q.Retrying + q.Parked
		told := func(kinds ...string) bool {
			return slices.ContainsFunc(x.Reasons, func(y fsm.Why) bool { return slices.Contains(kinds, y.Kind) })
		}
		switch {
		case told(fsm.WhyEmpty) != (waits == 0):
			return fmt.Errorf("queue %s has %d that wait, and is explained by %+v", q.Name, waits, x.Reasons)
		case (q.Scheduled > 0) != told(fsm.WhyScheduled), (q.Retrying > 0) != told(fsm.WhyRetrying),
			(q.Parked > 0) != told(fsm.WhyParked), q.Paused != told(fsm.WhyPaused),
			(q.Missed > 0) != told(fsm.WhyMissed):
			return fmt.Errorf("%+v is explained by %+v", q, x.Reasons)
		case q.Ready > 0 && !told(holdReady...):
			return fmt.Errorf("nothing holds %d ready ones of queue %s: %+v", q.Ready, q.Name, x.Reasons)
		}
	}
	return nil
}

// holdReady are the causes that can hold back what is ready.
var holdReady = []string{fsm.WhyPaused, fsm.WhyNoConsumer, fsm.WhyConsumersDetached, fsm.WhyNoCredit, fsm.WhyAloneWaits,
	fsm.WhyAloneHeld, fsm.WhyExclusiveWaits, fsm.WhyGroupsBusy, fsm.WhyGroupsBlocked, fsm.WhyGroupsParked,
	fsm.WhyBreakerOpen, fsm.WhyBreakerProbing, fsm.WhyBreakerNeedsAcks, fsm.WhyRate}
