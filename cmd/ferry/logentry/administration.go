package logentry

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// administration is what makes and changes queues and topics, and what
// operators do to them.
func administration(x fsm.Command) (c history.Command) {
	switch x := x.(type) {
	case *fsm.QueueCreate:
		c = numbered(&x.OpHeader)
		c.Queue, c.Settings = x.Queue, settings(x.Settings)
	case *fsm.QueueUpdate:
		c = numbered(&x.OpHeader)
		c.Queue, c.Settings = x.Queue, settings(x.Settings)
	case *fsm.QueueDelete:
		c = numbered(&x.OpHeader)
		c.Queue, c.IfEmpty, c.IfUnused = x.Queue, x.IfEmpty, x.IfUnused
	case *fsm.QueuePurge:
		c = numbered(&x.OpHeader)
		c.Queue = x.Queue
	case *fsm.QueuePause:
		c = numbered(&x.OpHeader)
		c.Queue, c.Paused = x.Queue, x.Paused
	case *fsm.TopicCreate:
		c = numbered(&x.OpHeader)
		c.Topic, c.TopicSettings = x.Topic, topicSettings(x.Settings)
	case *fsm.TopicDelete:
		c = numbered(&x.OpHeader)
		c.Topic, c.IfUnused = x.Topic, x.IfUnused
	case *fsm.Subscribe:
		c = numbered(&x.OpHeader)
		c.Topic, c.Queue, c.Filter, c.Settings = x.Topic, x.Queue, x.Filter, settings(x.Settings)
		c.Required, c.Bound = x.Required, x.Session
	case *fsm.Amend:
		c = numbered(&x.OpHeader)
		c.Queue, c.To, c.AtMillis, c.Reset = x.Queue, x.To, x.AtMillis, x.Reset
		c.Action = named(amendments[:], uint8(x.Action))
		for _, t := range x.Items {
			c.Targets = append(c.Targets, history.Target{Place: t.Place, Index: t.Index, Position: t.Position})
		}
	case *fsm.Breaker:
		c = numbered(&x.OpHeader)
		c.Queue, c.Action = x.Queue, named(breakerActions[:], uint8(x.Action))
	case *fsm.GroupResume:
		c = numbered(&x.OpHeader)
		c.Queue, c.Group = x.Queue, x.Group
	case *fsm.TenantWeight:
		c = numbered(&x.OpHeader)
		c.Queue, c.Tenant, c.Weight = x.Queue, x.Tenant, x.Weight
	}
	return c
}

func settings(s fsm.Settings) *history.Settings {
	return &history.Settings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: named(overflows[:], uint8(s.Overflow)),
		FailureLimit: s.FailureLimit, LeaseMillis: s.LeaseMillis, DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
		TTLMillis: s.TTLMillis, ExpiredDead: s.ExpiredDead,
		Retry: named(retries[:], uint8(s.Retry)), RetryBaseMillis: s.RetryBaseMillis,
		RetryMaxMillis: s.RetryMaxMillis, RetryFactor: s.RetryFactor,
		StarvationGuard: s.StarvationGuard, GroupFailure: named(groupFailures[:], uint8(s.GroupFailure)),
		GroupBatch: s.GroupBatch, Exclusive: s.Exclusive, Fair: s.Fair,
		DedupMillis: s.DedupMillis, DedupCapacity: s.DedupCapacity,
		Breaker: s.Breaker, DispatchRate: s.DispatchRate, DispatchBurst: s.DispatchBurst,
	}
}

func topicSettings(s fsm.TopicSettings) *history.TopicSettings {
	return &history.TopicSettings{DedupMillis: s.DedupMillis, DedupCapacity: s.DedupCapacity}
}
