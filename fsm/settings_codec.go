package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// Settings have the same bytes in a command and in a snapshot.

func appendSettings(dst []byte, s *Settings) []byte {
	dst = wire.AppendUint(dst, s.MaxMessages)
	dst = wire.AppendUint(dst, s.MaxBytes)
	dst = wire.AppendUint(dst, uint64(s.Overflow))
	dst = wire.AppendInt(dst, int64(s.FailureLimit))
	dst = wire.AppendUint(dst, uint64(s.LeaseMillis))
	dst = wire.AppendUint(dst, s.DLQMessages)
	dst = wire.AppendUint(dst, s.DLQBytes)
	dst = wire.AppendUint(dst, s.TTLMillis)
	dst = wire.AppendBool(dst, s.ExpiredDead)
	dst = wire.AppendUint(dst, uint64(s.Retry))
	dst = wire.AppendUint(dst, uint64(s.RetryBaseMillis))
	dst = wire.AppendUint(dst, uint64(s.RetryMaxMillis))
	dst = wire.AppendUint(dst, uint64(s.RetryFactor))
	dst = wire.AppendInt(dst, int64(s.StarvationGuard))
	dst = wire.AppendUint(dst, uint64(s.GroupFailure))
	dst = wire.AppendUint(dst, uint64(s.GroupBatch))
	dst = wire.AppendBool(dst, s.Exclusive)
	dst = wire.AppendBool(dst, s.Fair)
	dst = wire.AppendUint(dst, uint64(s.DedupMillis))
	dst = wire.AppendUint(dst, uint64(s.DedupCapacity))
	dst = wire.AppendBool(dst, s.Breaker)
	dst = wire.AppendUint(dst, uint64(s.DispatchRate))
	return wire.AppendUint(dst, uint64(s.DispatchBurst))
}

func (s *Settings) read(c *wire.Cursor) {
	s.MaxMessages = c.Uint()
	s.MaxBytes = c.Uint()
	s.Overflow = Overflow(c.Uint8())
	s.FailureLimit = c.Int32()
	s.LeaseMillis = c.Uint32()
	s.DLQMessages = c.Uint()
	s.DLQBytes = c.Uint()
	s.TTLMillis = c.Uint()
	s.ExpiredDead = c.Bool()
	s.Retry = Retry(c.Uint8())
	s.RetryBaseMillis = c.Uint32()
	s.RetryMaxMillis = c.Uint32()
	s.RetryFactor = c.Uint32()
	s.StarvationGuard = c.Int32()
	s.GroupFailure = GroupFailure(c.Uint8())
	s.GroupBatch = c.Uint32()
	s.Exclusive = c.Bool()
	s.Fair = c.Bool()
	s.DedupMillis = c.Uint32()
	s.DedupCapacity = c.Uint32()
	s.Breaker = c.Bool()
	s.DispatchRate = c.Uint32()
	s.DispatchBurst = c.Uint32()
}

func appendTopicSettings(dst []byte, s *TopicSettings) []byte {
	dst = wire.AppendUint(dst, uint64(s.DedupMillis))
	return wire.AppendUint(dst, uint64(s.DedupCapacity))
}

func (s *TopicSettings) read(c *wire.Cursor) {
	s.DedupMillis = c.Uint32()
	s.DedupCapacity = c.Uint32()
}
