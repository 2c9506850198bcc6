package fsm

// Explanation tells why a queue hands out nothing, or less than it could.
type Explanation struct {
	Queue   string
	Reasons []Why // the most important first; none: nothing in the state holds it up
}

// Why is one reason.
type Why struct {
	Kind        string // one of the Why constants
	Count       uint64 // messages, consumers or groups it concerns; 0 if that says nothing
	Of          uint64 // WhyNoCredit: of so many consumers that are there
	Held        uint64 // WhyNoCredit, WhyAloneWaits: messages that the consumers have and did not settle
	ByHand      bool   // WhyBreakerOpen: until an operator closes it
	Full        bool   // WhyMissed: it would miss some that it would take if it was empty
	Takes       int64  // WhyMissed, WhyTopicRefuses: bytes of the largest message that the subscription takes now; -1: it takes none
	LeaseMillis int64  // when it ends by itself on the lease clock; 0: never, or nobody knows
	WallMillis  int64  // the same on the wall clock
	Name        string // of a message group or a queue, "" for nothing

	// WhyAloneWaits: a consumer that it waits for, of this session and number.
	Session  SessionID
	Consumer uint32
}

// Kinds of a Why. What each counts is said behind it.
const (
	WhyEmpty             = "empty"  // no message waits
	WhyPaused            = "paused" // by an operator
	WhyNoConsumer        = "no_consumer"
	WhyConsumersDetached = "consumers_detached" // consumers, none of which is connected
	WhyNoCredit          = "no_credit"          // consumers, none of which has room for what is next
	WhyAloneWaits        = "alone_waits"        // messages blamed for a crash, each of which waits for a consumer to settle the rest
	WhyAloneHeld         = "alone_held"         // consumers that are handed nothing else while they have such a message
	WhyExclusiveWaits    = "exclusive_waits"    // consumers that stand by while the active one has no room, or, until then, is detached
	WhyGroupsBusy        = "groups_busy"        // groups of which a batch is with a consumer
	WhyGroupsBlocked     = "groups_blocked"     // groups that wait for the retry of one of their messages
	WhyGroupsParked      = "groups_parked"      // groups, of which it names one
	WhyBreakerOpen       = "breaker_open"
	WhyBreakerProbing    = "breaker_probing"    // messages out as probes; the rest waits for them
	WhyBreakerNeedsAcks  = "breaker_needs_acks" // consumers without acks, who cannot tell how a probe ended
	WhyRate              = "rate"               // no token is left
	WhyScheduled         = "scheduled"          // messages, the first of which is due then
	WhyRetrying          = "retrying"           // as scheduled
	WhyMissed            = "missed"             // messages of its topic, which it is without
	WhyTopicRefuses      = "topic_refuses"      // required subscriptions that refuse what they would take if they were empty, and so does its topic; it names the first of those that take least
	WhyTopicUnseen       = "topic_unseen"       // required subscriptions of the topic that it names, of which it is not known: too much was looked at before
	WhyParked            = "parked_dlq_full"    // dead messages for which the queue that it names has no room
)

// explainMax bounds the lines and deadlines that an explanation looks at. What
// it counts may be more in larger queues.
const explainMax = 10_000

// Explain tells what in the state keeps a queue from handing out, false if
// there is no such queue. Nobody publishes messages larger than so many bytes:
// that such a one would be refused is not told. The work is bounded, however
// large the queue is.
func (s *State) Explain(name string, largest uint32) (Explanation, bool) {
	incarnation, ok := s.names.Get(name)
	if !ok {
		return Explanation{}, false
	}
	q, _ := s.queues.Get(incarnation)
	e := explainer{s: s, q: q, now: s.clock.LeaseMillis, largest: largest, looks: explainLooks}
	e.whole()
	e.consumers()
	e.groups()
	e.brakes()
	e.times()
	e.topic()
	return Explanation{Queue: q.name, Reasons: e.reasons}, true
}

type explainer struct {
	s       *State
	q       *queue
	now     int64
	largest uint32 // message that there may be, in bytes
	looks   int    // left, see explain_room.go
	reasons []Why
}

func (e *explainer) add(when bool, y Why) {
	if when {
		e.reasons = append(e.reasons, y)
	}
}

func (e *explainer) whole() {
	e.add(e.q.messages() == uint64(e.q.leased.Len()), Why{Kind: WhyEmpty})
	e.add(e.q.paused, Why{Kind: WhyPaused})
}

// groups tells of those that have something ready and are not served, and of
// those that are parked for what may come.
func (e *explainer) groups() {
	if e.q.lines == nil {
		return
	}
	var busy, blocked uint64
	parked, looked := Why{Kind: WhyGroupsParked, Count: e.q.lines.groupsParked}, 0
	e.q.lines.all.Scan(func(_ uint32, l *line) bool {
		switch {
		case l.group == "":
		case l.parked:
			if parked.Name == "" {
				parked.Name = l.group
			}
		case l.spot.front == 0 || l.listed || l.condemned || l.reserved: // of the last, WhyAloneWaits tells
		case l.blocked(e.q):
			blocked++
		case l.leased > 0:
			busy++
		}
		looked++
		return looked < explainMax
	})
	e.add(busy > 0, Why{Kind: WhyGroupsBusy, Count: busy})
	e.add(blocked > 0, Why{Kind: WhyGroupsBlocked, Count: blocked})
	e.add(parked.Count > 0, parked)
}

func (e *explainer) brakes() {
	if b := e.q.breaker; b != nil {
		e.add(b.state == BreakerIsOpen, Why{Kind: WhyBreakerOpen, LeaseMillis: b.until, ByHand: b.byHand})
		e.add(b.state == BreakerHalfOpen && !b.lets(), Why{Kind: WhyBreakerProbing, Count: uint64(b.running)})
	}
	_, _, vacant := e.s.vacant(e.q)
	if e.q.bucket != nil && (e.q.ready() > 0 || vacant) && e.q.tokensAt(e.now) < wholeToken {
		e.add(true, Why{Kind: WhyRate, LeaseMillis: e.q.nextToken(e.now)})
	}
}

func (e *explainer) times() {
	if t := e.q.timed; t != nil {
		e.add(t.scheduled > 0, Why{Kind: WhyScheduled, Count: t.scheduled, WallMillis: e.firstScheduled()})
		if first, ok := t.lease.Min(); ok {
			e.add(true, Why{Kind: WhyRetrying, Count: uint64(t.lease.Len()), LeaseMillis: first.at})
		}
	}
	if n := e.q.parked.Len(); n > 0 {
		e.add(true, Why{Kind: WhyParked, Count: uint64(n), Name: e.q.name + DeadLetterSuffix})
	}
}

// firstScheduled is when the first scheduled message is due; 0 if many others
// expire before.
func (e *explainer) firstScheduled() (at int64) {
	looked := 0
	e.q.timed.wall.Scan(func(d due) bool {
		if m, ok := e.q.waiting.Get(d.place); ok && m.flags&flagScheduled != 0 {
			at = d.at
		}
		looked++
		return at == 0 && looked < explainMax
	})
	return at
}
