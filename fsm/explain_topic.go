package fsm

// refusersMax bounds how many full subscriptions of a topic an explanation
// counts: for each it may look through what that could drop.
const refusersMax = 100

// topic tells of a subscription what did not come to it.
func (e *explainer) topic() {
	if e.q.subscription == nil {
		return
	}
	t, _ := e.s.topics.Get(e.q.subscription.topic)
	if e.q.missed > 0 {
		e.add(true, Why{Kind: WhyMissed, Count: e.q.missed, Full: e.s.takes(e.q, 1).Code != OK, Name: t.name})
	}
	y := Why{Kind: WhyTopicRefuses}
	t.subscriptions.Scan(func(incarnation uint64, _ struct{}) bool {
		q, _ := e.s.queues.Get(incarnation)
		if q.subscription.required && e.s.takes(q, 1).Code == Busy {
			if y.Count++; y.Count == 1 {
				y.Name = q.name
			}
		}
		return y.Count < refusersMax
	})
	e.add(y.Count > 0, y)
}
