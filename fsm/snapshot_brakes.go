package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// What a snapshot has of circuit breakers and rates.

func (b *breaker) append(to []byte) []byte {
	if b == nil {
		return wire.AppendNil(to)
	}
	to = wire.AppendUint(to, uint64(b.state))
	to = wire.AppendBool(to, b.byHand)
	to = wire.AppendInt(to, b.until)
	for _, v := range [...]uint32{b.openMillis, b.outcomes, b.known, b.downstream, b.round, b.good} {
		to = wire.AppendUint(to, uint64(v))
	}
	to = wire.AppendArrayLen(to, int(b.running))
	for _, token := range b.probes[:b.running] {
		to = wire.AppendUint(to, token)
	}
	return to
}

func (b *bucket) append(to []byte) []byte {
	if b == nil {
		return wire.AppendNil(to)
	}
	to = wire.AppendUint(to, uint64(b.tokens))
	to = wire.AppendUint(to, uint64(b.at))
	return wire.AppendInt(to, b.due)
}

func (x *restorer) brakes(c *wire.Cursor, q *queue) {
	if !c.Nil() {
		b := &breaker{state: BreakerState(c.Uint8()), byHand: c.Bool()}
		until := readDeadline(c)
		b.openMillis, b.outcomes, b.known = c.Uint32(), c.Uint32(), c.Uint32()
		b.downstream, b.round, b.good = c.Uint32(), c.Uint32(), c.Uint32()
		for range c.ArrayLen(breakerRoundMax) {
			b.probes[b.running] = c.Uint()
			b.running++
		}
		q.breaker = b
		x.s.timers.move(timerBreaker, q.incarnation, &b.until, until)
	}
	if !c.Nil() {
		b := &bucket{tokens: int64(c.UintMax(tokensMax)), at: int64(c.UintMax(clockMax))}
		due := readDeadline(c)
		q.bucket = b
		x.s.timers.move(timerRate, q.incarnation, &b.due, due)
	}
}
