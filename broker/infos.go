package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// estimate puts a time of the lease clock on the wall clock: if a leader goes
// on to move both. At are the state's clocks.
func estimate(leaseMillis int64, at fsm.Clock) int64 {
	return at.WallMillis + leaseMillis - at.LeaseMillis
}

func queueInfosOf(infos []fsm.QueueInfo, at fsm.Clock) []transport.QueueInfo {
	out := make([]transport.QueueInfo, len(infos))
	for i := range infos {
		out[i] = queueInfoOf(&infos[i], at)
	}
	return out
}

func queueInfoOf(q *fsm.QueueInfo, at fsm.Clock) transport.QueueInfo {
	return transport.QueueInfo{
		Name: q.Name, Incarnation: q.Incarnation, Settings: settingsFrom(&q.Settings), Paused: q.Paused,
		Ready: q.Ready, Leased: q.Leased, Parked: q.Parked, Bytes: q.Bytes, Consumers: q.Consumers,
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		DeadLetter: q.DeadLetter, OldestReadyMs: q.OldestReadyMillis,
		Scheduled: q.Scheduled, Retrying: q.Retrying, Groups: q.Groups, GroupsParked: q.GroupsParked,
		Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed,
		Duplicates: q.Duplicates, DedupIDs: q.DedupIDs, Breaker: breakerInfoOf(&q.Breaker, at),
		Topic: q.Topic, Filter: q.Filter, Required: q.Required, Session: q.Session,
	}
}

func breakerInfoOf(b *fsm.BreakerInfo, at fsm.Clock) transport.BreakerInfo {
	out := transport.BreakerInfo{
		State: transport.BreakerState(b.State), ByHand: b.ByHand, OpenMs: b.OpenMillis,
		Outcomes: b.Outcomes, Failures: b.Failures, Downstream: b.Downstream, Probes: b.Probes,
	}
	if b.UntilMillis != 0 {
		out.UntilMs = estimate(b.UntilMillis, at)
	}
	return out
}

func topicInfoOf(t *fsm.TopicInfo) transport.TopicInfo {
	return transport.TopicInfo{
		Name: t.Name, Incarnation: t.Incarnation, Subscriptions: t.Subscriptions,
		Settings:  transport.TopicSettings{DedupMs: t.Settings.DedupMillis, DedupCapacity: t.Settings.DedupCapacity},
		Published: t.Published, Duplicates: t.Duplicates, DedupIDs: t.DedupIDs,
	}
}
