package client

import (
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// QueueInfo describes a queue, or a subscription.
type QueueInfo struct {
	Name        string
	Incarnation uint64
	Settings    QueueSettings // defaults filled in
	Paused      bool
	Ready       uint64
	Leased      uint64
	Scheduled   uint64 // not due yet
	Retrying    uint64 // wait for their next attempt
	Parked      uint64 // dead, but the dead-letter queue is full
	Bytes       uint64
	Consumers   int
	Published   uint64 // since it was created, as what follows
	Acked       uint64
	Dead        uint64
	Purged      uint64
	Expired     uint64
	Overflowed  uint64    // dropped or dead-lettered, old or new, because it was full
	Missed      uint64    // of a subscription: published while it could not take them
	Duplicates  uint64    // refused by the window of message ids
	DeadLetter  string    // name of its dead-letter queue, "" for one
	OldestReady time.Time // when the oldest ready message entered, zero for none

	Groups       uint64 // message groups that have messages or are parked
	GroupsParked uint64 // held until ResumeGroup
	DedupIDs     uint64 // in the window now
	Breaker      BreakerInfo

	Topic    string // of a subscription, else ""
	Filter   string
	Required bool
	Session  bool // it goes with the session that made it
}

// BreakerState of a queue.
type BreakerState uint8

const (
	BreakerOff      = BreakerState(transport.BreakerOff) // the queue has none
	BreakerClosed   = BreakerState(transport.BreakerClosed)
	BreakerOpen     = BreakerState(transport.BreakerIsOpen)   // nothing is handed out
	BreakerHalfOpen = BreakerState(transport.BreakerHalfOpen) // a few are, on trial
)

func (s BreakerState) String() string {
	return nameOf(s, "off", "closed", "open", "half-open")
}

// BreakerInfo describes a circuit breaker.
type BreakerInfo struct {
	State      BreakerState
	ByHand     bool          // open until CloseBreaker
	Until      time.Time     // open: when it tries, estimated; else zero
	OpenFor    time.Duration // length of this opening, or of the next
	Outcomes   int           // in the window, at most 20
	Failures   int           // of those
	Downstream int           // consecutive ones
	Probes     int           // half open: leases that are on trial now
}

// TopicInfo describes a topic.
type TopicInfo struct {
	Name          string
	Incarnation   uint64
	Settings      TopicSettings
	Subscriptions int
	Published     uint64 // since it was created
	Duplicates    uint64 // refused by the window of message ids
	DedupIDs      uint64 // in the window now
}

func queueInfoFrom(q transport.QueueInfo) QueueInfo {
	return QueueInfo{
		Name: q.Name, Incarnation: q.Incarnation, Settings: settingsFrom(q.Settings),
		Paused: q.Paused, Ready: q.Ready, Leased: q.Leased, Scheduled: q.Scheduled,
		Retrying: q.Retrying, Parked: q.Parked, Bytes: q.Bytes, Consumers: int(q.Consumers),
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed, Duplicates: q.Duplicates,
		DeadLetter: q.DeadLetter, OldestReady: timeOf(q.OldestReadyMs),
		Groups: q.Groups, GroupsParked: q.GroupsParked, DedupIDs: q.DedupIDs,
		Breaker: BreakerInfo{
			State: BreakerState(q.Breaker.State), ByHand: q.Breaker.ByHand,
			Until: timeOf(q.Breaker.UntilMs), OpenFor: millis(q.Breaker.OpenMs),
			Outcomes: int(q.Breaker.Outcomes), Failures: int(q.Breaker.Failures),
			Downstream: int(q.Breaker.Downstream), Probes: int(q.Breaker.Probes),
		},
		Topic: q.Topic, Filter: q.Filter, Required: q.Required, Session: q.Session,
	}
}

func topicInfoFrom(t transport.TopicInfo) TopicInfo {
	return TopicInfo{
		Name: t.Name, Incarnation: t.Incarnation,
		Settings:      TopicSettings{Dedup: millis(t.Settings.DedupMs), DedupCapacity: int(t.Settings.DedupCapacity)},
		Subscriptions: int(t.Subscriptions), Published: t.Published, Duplicates: t.Duplicates, DedupIDs: t.DedupIDs,
	}
}

// timeOf is the time of Unix milliseconds, zero for 0.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
