package fsm

import "fmt"

// missersMax is how many subscriptions are told apart of those that missed
// something.
const missersMax = 64

// misses notes which subscriptions miss messages, for whoever watches them. It
// is derived while entries are applied, and in no snapshot.
type misses struct {
	total uint64
	last  []misser // the one that missed something last at the end; each once
}

// misser is a subscription, how much it missed since it is in the list, and why
// it did last.
type misser struct {
	incarnation, missed uint64
	why                 Verdict
}

// Misser is a subscription that missed messages.
type Misser struct {
	Queue       string
	Incarnation uint64
	Topic       string
	Missed      uint64 // since it is among those that did last
	Total       uint64 // since it was made
	Why         string // it missed the last one, in words: "is full"
}

// Misses is how many messages subscriptions missed since this state was made
// or restored. Together with the list of those it says whether to look.
func (s *State) Misses() uint64 { return s.misses.total }

// Missers lists the subscriptions that missed messages last and are still
// there, at most 64.
func (s *State) Missers() []Misser {
	var all []Misser
	for _, m := range s.misses.last {
		if q, ok := s.queues.Get(m.incarnation); ok {
			t, _ := s.topics.Get(q.subscription.topic)
			all = append(all, Misser{Queue: q.name, Incarnation: m.incarnation, Topic: t.name, Missed: m.missed,
				Total: q.missed, Why: inWords(m.why)})
		}
	}
	return all
}

// miss counts a message that a subscription could not take.
func (s *State) miss(q *queue, a *arrival, why Verdict) {
	q.missed++
	s.misses.note(q.incarnation, why)
	if s.trace != nil {
		s.tell(TraceMissed, q, a.index, a.position, nil, 0, "the subscription "+q.inWords(why))
	}
}

// called is what a queue is called in a refusal.
func (q *queue) called() string {
	if q.subscription != nil {
		return "subscription " + q.name
	}
	return "queue " + q.name
}

// inWords tells which limit it is as well, if that has to change for the message
// to be taken.
func (q *queue) inWords(why Verdict) string {
	if why.Code == TooLarge {
		return fmt.Sprintf("%s: its limit is %d bytes", inWords(why), q.settings.MaxBytes)
	}
	return inWords(why)
}

// inWords tells what is the matter with a queue that misses or refuses a message.
func inWords(why Verdict) string {
	switch why.Code {
	case TooLarge:
		return "cannot hold a message that large"
	case Dropped:
		return "is full, and drops new messages"
	}
	switch why.Cause {
	case CauseRoom:
		return "is full, and has to drop more than one entry may"
	case CauseTenants:
		return "has too many tenants"
	case CauseGroups:
		return "has too many message groups"
	default:
		return "is full"
	}
}

func (x *misses) note(incarnation uint64, why Verdict) {
	x.total++
	n := len(x.last)
	if n > 0 && x.last[n-1].incarnation == incarnation {
		x.last[n-1].missed++
		x.last[n-1].why = why
		return
	}
	one := misser{incarnation: incarnation}
	for i := range x.last {
		if x.last[i].incarnation == incarnation {
			one = x.last[i]
			x.last = append(x.last[:i], x.last[i+1:]...)
			break
		}
	}
	if len(x.last) == missersMax {
		x.last = append(x.last[:0], x.last[1:]...)
	}
	one.missed++
	one.why = why
	x.last = append(x.last, one)
}
