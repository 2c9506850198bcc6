package modeltest

import (
	"math/big"

	"github.com/ferrymq/ferrymq/fsm"
)

// retry makes a message ready for its next attempt: now, or after a delay.
func (m *Model) retry(q *queue, msg *message, e ending) {
	wait := e.delay
	if wait == 0 && e.again {
		wait = delay(q.settings, msg)
	}
	if wait > 0 {
		msg.status, msg.at = retrying, m.clock.LeaseMillis+wait
	}
}

// delay before the next attempt, in exact numbers of any size.
func delay(s fsm.Settings, msg *message) int64 {
	n := int64(max(1, msg.failures))
	d := big.NewInt(int64(s.RetryBaseMillis))
	switch s.Retry {
	case fsm.RetryImmediate:
		return 0
	case fsm.RetryLinear:
		d.Mul(d, big.NewInt(n))
	case fsm.RetryExponential:
		d.Mul(d, new(big.Int).Exp(big.NewInt(int64(s.RetryFactor)), big.NewInt(n-1), nil))
	}
	wait := int64(s.RetryMaxMillis)
	if d.Cmp(big.NewInt(wait)) < 0 {
		wait = d.Int64()
	}
	return wait - int64(jitter(msg)%uint64(wait/4+1))
}

// jitter is a number that only the message and the attempt decide.
func jitter(msg *message) uint64 {
	return mix(mix(msg.id.Index) ^ uint64(msg.id.Position) ^ uint64(msg.attempts)<<32)
}

// mix is splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return x
}

// firstRetry is when the first message of a queue is to be tried again; 0: none.
func (q *queue) firstRetry() (first int64) {
	for _, msg := range q.messages {
		if msg.status == retrying && (first == 0 || msg.at < first) {
			first = msg.at
		}
	}
	return first
}

// retryNow ends the waiting of what is due in a queue, by time, then place.
func (m *Model) retryNow(q *queue) {
	for at := q.firstRetry(); at != 0 && at <= m.clock.LeaseMillis; at = q.firstRetry() {
		for _, msg := range q.messages {
			if msg.status == retrying && msg.at == at {
				msg.status, msg.at = ready, 0
				q.survey()
			}
		}
	}
}
