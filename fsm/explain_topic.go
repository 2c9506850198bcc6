package fsm

// topic tells of a subscription what did not come to it.
func (e *explainer) topic() {
	if e.q.subscription == nil {
		return
	}
	t, _ := e.s.topics.Get(e.q.subscription.topic)
	if e.q.missed > 0 {
		takes, full, _ := e.takes(e.q) // the first that is looked at is seen
		e.add(true, Why{Kind: WhyMissed, Count: e.q.missed, Full: full, Takes: takes, Name: t.name})
	}
	refuses, unseen := Why{Kind: WhyTopicRefuses}, Why{Kind: WhyTopicUnseen, Name: t.name}
	t.subscriptions.Scan(func(incarnation uint64, _ struct{}) bool {
		q, _ := e.s.queues.Get(incarnation)
		if !q.subscription.required {
			return true
		}
		takes, full, seen := e.takes(q)
		switch {
		case !seen:
			unseen.Count++
		case full:
			if refuses.Count++; refuses.Count == 1 || takes < refuses.Takes {
				refuses.Name, refuses.Takes = q.name, takes
			}
		}
		return true
	})
	e.add(refuses.Count > 0, refuses)
	e.add(unseen.Count > 0, unseen)
}
