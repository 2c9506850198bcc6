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
		takes, full := e.takes(e.q)
		e.add(true, Why{Kind: WhyMissed, Count: e.q.missed, Full: full, Takes: takes, Name: t.name})
	}
	y := Why{Kind: WhyTopicRefuses}
	t.subscriptions.Scan(func(incarnation uint64, _ struct{}) bool {
		q, _ := e.s.queues.Get(incarnation)
		if !q.subscription.required {
			return true
		}
		if takes, full := e.takes(q); full {
			if y.Count++; y.Count == 1 || takes < y.Takes {
				y.Name, y.Takes = q.name, takes
			}
		}
		return y.Count < refusersMax
	})
	e.add(y.Count > 0, y)
}
