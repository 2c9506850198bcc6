package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func settingsOf(s *transport.QueueSettings) fsm.Settings {
	return fsm.Settings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: fsm.Overflow(s.Overflow),
		FailureLimit: s.FailureLimit, LeaseMillis: s.LeaseMs,
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
		TTLMillis: s.TTLMs, ExpiredDead: s.ExpiredDead,
		Retry: fsm.Retry(s.Retry), RetryBaseMillis: s.RetryBaseMs, RetryMaxMillis: s.RetryMaxMs, RetryFactor: s.RetryFactor,
		StarvationGuard: s.StarvationGuard, GroupFailure: fsm.GroupFailure(s.GroupFailure), GroupBatch: s.GroupBatch,
		Exclusive: s.Exclusive, Fair: s.Fair,
		DedupMillis: s.DedupMs, DedupCapacity: s.DedupCapacity,
		Breaker: s.Breaker, DispatchRate: s.DispatchRate, DispatchBurst: s.DispatchBurst,
	}
}

func settingsFrom(s *fsm.Settings) transport.QueueSettings {
	return transport.QueueSettings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: transport.Overflow(s.Overflow),
		FailureLimit: s.FailureLimit, LeaseMs: s.LeaseMillis,
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
		TTLMs: s.TTLMillis, ExpiredDead: s.ExpiredDead,
		Retry: transport.Retry(s.Retry), RetryBaseMs: s.RetryBaseMillis, RetryMaxMs: s.RetryMaxMillis, RetryFactor: s.RetryFactor,
		StarvationGuard: s.StarvationGuard, GroupFailure: transport.GroupFailure(s.GroupFailure), GroupBatch: s.GroupBatch,
		Exclusive: s.Exclusive, Fair: s.Fair,
		DedupMs: s.DedupMillis, DedupCapacity: s.DedupCapacity,
		Breaker: s.Breaker, DispatchRate: s.DispatchRate, DispatchBurst: s.DispatchBurst,
	}
}
