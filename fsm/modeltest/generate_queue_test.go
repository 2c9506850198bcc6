package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) settings(t *rapid.T) fsm.Settings {
	s := fsm.Settings{
		MaxMessages:  uint64(choose(t, "max messages", 0, 3, 10)),
		MaxBytes:     uint64(choose(t, "max bytes", 0, 0, 100, 40)),
		FailureLimit: int32(choose(t, "failures", 0, 1, 2, -1)),
		LeaseMillis:  uint32(choose(t, "lease", 0, 1000, 2000)),
		DLQMessages:  uint64(choose(t, "dlq messages", 0, 1, 3)),
		DLQBytes:     uint64(choose(t, "dlq bytes", 0, 0, 60)),
	}
	g.retrySettings(t, &s)
	s.TTLMillis = uint64(choose(t, "ttl", 0, 0, 0, 2000, 20_000))
	s.ExpiredDead = percent(t, "expired dead") < 50
	s.Overflow = choose(t, "overflow", fsm.OverflowReject, fsm.OverflowReject, fsm.OverflowDropOldest, fsm.OverflowDropNew)
	s.StarvationGuard = int32(choose(t, "guard", 0, -1, 1, 2, 3))
	s.GroupFailure = choose(t, "group failure", fsm.GroupBlock, fsm.GroupPark, fsm.GroupDead, fsm.GroupSkip)
	s.GroupBatch = uint32(choose(t, "batch", 0, 1, 2, 2, 3, 5))
	s.Exclusive = percent(t, "exclusive") < 20
	s.Fair = percent(t, "fair") < 40
	if percent(t, "dedup") < 50 {
		s.DedupMillis = uint32(choose(t, "window", 1000, 10_000, 60_000))
		s.DedupCapacity = uint32(choose(t, "capacity", 1, 2, 4))
	}
	s.Breaker = percent(t, "breaker") < 50
	if percent(t, "rate") < 20 {
		s.DispatchRate = uint32(choose(t, "rate", 1, 5, 50))
		s.DispatchBurst = uint32(choose(t, "burst", 0, 1, 3))
	}
	if percent(t, "fault") < 8 {
		g.wrongSettings(t, &s)
	}
	return s
}

func (g *generator) retrySettings(t *rapid.T, s *fsm.Settings) {
	s.Retry = choose(t, "retry", fsm.RetryExponential, fsm.RetryFixed, fsm.RetryLinear, fsm.RetryImmediate)
	s.RetryBaseMillis = uint32(choose(t, "base", 0, 1, 50, 1000))
	s.RetryMaxMillis = uint32(choose(t, "max", 0, 1000, 2000))
	s.RetryFactor = uint32(choose(t, "factor", 0, 1, 3))
}

// wrongSettings makes one mistake.
func (g *generator) wrongSettings(t *rapid.T, s *fsm.Settings) {
	mistakes := []func(){
		func() { s.FailureLimit = -2 },
		func() { s.LeaseMillis = fsm.MaxLeaseMillis + 1 },
		func() { s.Overflow = fsm.OverflowDropNew + 1 },
		func() { s.Retry = fsm.RetryImmediate + 1 },
		func() { s.RetryMaxMillis = fsm.MaxRetryMillis + 1 },
		func() { s.TTLMillis = fsm.TenYearsMillis + 1 },
		func() { s.GroupFailure = fsm.GroupSkip + 1 },
		func() { s.GroupBatch = fsm.MaxGroupBatch + 1 },
		func() { s.StarvationGuard = -2 },
		func() { s.DedupMillis, s.DedupCapacity = 1000, 0 },
		func() { s.DedupMillis, s.DedupCapacity = 0, 1 },
		func() { s.DedupMillis, s.DedupCapacity = 999, 1 },
		func() { s.DedupMillis, s.DedupCapacity = 1000, fsm.MaxDedupCapacity+1 },
	}
	choose(t, "mistake", mistakes...)()
}

func (g *generator) create(t *rapid.T) Command {
	x := &fsm.QueueCreate{OpHeader: g.header(t), Queue: choose(t, "queue", queues...), Settings: g.settings(t)}
	if percent(t, "wrong") < 5 {
		x.Queue = choose(t, "name", wrong...)
	}
	if q := g.m.queues[x.Queue]; q != nil && percent(t, "same") < 50 {
		x.Settings = q.settings
	}
	return Command{Command: x}
}

func (g *generator) update(t *rapid.T) Command {
	x := &fsm.QueueUpdate{OpHeader: g.header(t), Queue: g.queue(t), Settings: g.settings(t)}
	if q := g.m.queues[x.Queue]; q != nil && q.dlq != nil && percent(t, "narrow") < 40 {
		x.Settings = q.settings
		g.narrow(t, q, &x.Settings)
	}
	if all := g.m.lined(); len(all) > 0 && percent(t, "groups") < 30 {
		q := all[percent(t, "lined")*len(all)/100]
		x.Queue, x.Settings = q.name, q.settings
		x.Settings.GroupBatch = q.settings.GroupBatch%3 + 1
		g.reordered = true
	}
	return Command{Command: x}
}

// narrow lets a queue have fewer messages than it has, of which the oldest go.
func (g *generator) narrow(t *rapid.T, q *queue, s *fsm.Settings) {
	s.Overflow, s.DLQMessages = fsm.OverflowDropOldest, uint64(choose(t, "dlq messages", 0, 0, 6))
	if use := q.use(); percent(t, "bytes") < 50 {
		s.MaxMessages, s.MaxBytes = 0, max(50, use.bytes/2)
	} else {
		s.MaxMessages = max(1, use.messages/3)
	}
}

func (g *generator) remove(t *rapid.T) Command {
	careful := percent(t, "careful")
	return Command{Command: &fsm.QueueDelete{OpHeader: g.header(t), Queue: g.queue(t), IfEmpty: careful < 60, IfUnused: careful > 30}}
}

func (g *generator) purge(t *rapid.T) Command {
	return Command{Command: &fsm.QueuePurge{OpHeader: g.header(t), Queue: g.queue(t)}}
}

func (g *generator) pause(t *rapid.T) Command {
	return Command{Command: &fsm.QueuePause{OpHeader: g.header(t), Queue: g.queue(t), Paused: percent(t, "pause") < 30}}
}
