package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// settings fills defaults in and tells what is wrong.
func settings(s fsm.Settings) (fsm.Settings, fsm.Code) {
	if s.FailureLimit == 0 {
		s.FailureLimit = fsm.DefaultFailureLimit
	}
	if s.StarvationGuard == 0 {
		s.StarvationGuard = fsm.DefaultStarvationGuard
	}
	fill(&s.GroupBatch, 1)
	fill(&s.LeaseMillis, fsm.DefaultLeaseMillis)
	fill(&s.RetryBaseMillis, fsm.DefaultRetryBaseMillis)
	fill(&s.RetryMaxMillis, fsm.DefaultRetryMaxMillis)
	fill(&s.RetryFactor, fsm.DefaultRetryFactor)
	if s.DispatchRate > 0 {
		fill(&s.DispatchBurst, max(1, s.DispatchRate/10))
	} else {
		s.DispatchBurst = 0
	}
	switch {
	case s.Overflow > fsm.OverflowDropNew, s.FailureLimit < fsm.UnlimitedFailures,
		s.LeaseMillis < fsm.MinLeaseMillis || s.LeaseMillis > fsm.MaxLeaseMillis,
		s.TTLMillis > fsm.TenYearsMillis, s.Retry > fsm.RetryImmediate,
		s.RetryBaseMillis > fsm.MaxRetryMillis, s.RetryMaxMillis > fsm.MaxRetryMillis,
		s.StarvationGuard < -1, s.GroupFailure > fsm.GroupSkip, s.GroupBatch > fsm.MaxGroupBatch,
		!goodWindow(s.DedupMillis, s.DedupCapacity):
		return s, fsm.Invalid
	}
	return s, fsm.OK
}

// deadLetters are the settings of a queue's dead-letter queue.
func deadLetters(s fsm.Settings) fsm.Settings {
	return fsm.Settings{
		MaxMessages: s.DLQMessages, MaxBytes: s.DLQBytes, LeaseMillis: s.LeaseMillis,
		FailureLimit: fsm.UnlimitedFailures, Retry: fsm.RetryImmediate,
	}
}
