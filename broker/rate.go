package broker

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/ferrymq/ferrymq/transport"
)

// publishRate bounds the messages that one connection publishes in a second.
// It belongs to the connection's reader: nobody else feels it, and settles
// never do. Nil bounds nothing.
type publishRate struct {
	bucket *rate.Limiter
}

func newPublishRate(o *Options) *publishRate {
	if o.PublishRate == 0 {
		return nil
	}
	return &publishRate{bucket: rate.NewLimiter(rate.Limit(o.PublishRate), o.PublishBurst)}
}

// take takes n messages out of the bucket, or says when there will be enough.
// An operation with more messages than the bucket holds passes when it is
// full, and what comes later pays for the rest.
func (p *publishRate) take(n int, now time.Time) (transport.Result, bool) {
	if p == nil || n == 0 {
		return transport.Result{}, true
	}
	burst := p.bucket.Burst()
	first := p.bucket.ReserveN(now, min(n, burst))
	if wait := first.DelayFrom(now); wait > 0 {
		first.CancelAt(now)
		r := refusal(transport.CodeBusy, fmt.Sprintf("this connection publishes more than %g messages a second", float64(p.bucket.Limit())))
		r.Cause = transport.CauseRate
		r.RetryAfterMs = uint32(max(1, (wait+time.Millisecond-1)/time.Millisecond))
		return r, false
	}
	for n -= burst; n > 0; n -= burst {
		p.bucket.ReserveN(now, min(n, burst))
	}
	return transport.Result{}, true
}
