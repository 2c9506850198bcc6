package client

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// warnAt is the part of a lease after which its handler's user is warned.
	warnAt = 0.8
	// creditIdle is how long a credit that is less than half waits.
	creditIdle = time.Second
	// graceMin is the shortest time that a session which lost its link keeps
	// its leases; until then they are not given up here either.
	graceMin = 5 * time.Second
	// keepPause is the least time between two looks at the leases.
	keepPause = 20 * time.Millisecond
)

// keepBy has the manager look at leases and credits at t.
func (o *outbox) keepBy(t time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keepAt.IsZero() || t.Before(o.keepAt) {
		o.keepAt = t
		signal(o.wake)
	}
}

// listCredit has the manager send the consumer's credit.
func (o *outbox) listCredit(k *Consumer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !k.listed {
		k.listed = true
		o.credits = append(o.credits, k)
		signal(o.wake)
	}
}

// keepLeases extends, warns and ends what is due, and returns when to look again.
func (m *manager) keepLeases(now time.Time) time.Time {
	o := m.out
	o.mu.Lock()
	at := o.keepAt
	if at.IsZero() || now.Before(at) {
		o.mu.Unlock()
		return at
	}
	o.keepAt = time.Time{}
	o.mu.Unlock()

	var next time.Time
	for _, k := range m.consumers {
		if k.left(now) {
			delete(m.consumers, k.number)
			continue
		}
		if t := k.keep(now, m.graceUntil(now)); !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if next.IsZero() {
		return next
	}
	if least := now.Add(keepPause); next.Before(least) {
		next = least
	}
	o.keepBy(next)
	return next
}

// graceUntil is until when leases hold although they ran out here: zero while
// the session is attached.
func (m *manager) graceUntil(now time.Time) time.Time {
	if m.phase == phaseLive {
		return time.Time{}
	}
	return m.downAt.Add(graceMin)
}

// keepAt is when a started delivery is to be looked at next. The mutex is held.
func (k *Consumer) keepAt(d *Delivery) time.Time {
	switch {
	case k.extends() && !d.extending:
		return d.until.Add(-d.lease / 2)
	case !d.warned:
		return d.until.Add(-time.Duration((1 - warnAt) * float64(d.lease)))
	}
	return d.until
}

// keep looks at the started deliveries and the credit, and returns when to
// look again, zero for never.
func (k *Consumer) keep(now, grace time.Time) (next time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opts.noAck {
		if k.taken > k.credited {
			k.c.out.listCredit(k)
		}
		return next
	}
	for _, d := range k.held {
		if d.state != stateStarted {
			continue
		}
		k.keepOne(d, now, grace)
		if d.state != stateStarted || d.ctx != nil && d.ctx.Err() != nil && !now.Before(d.until) {
			continue
		}
		if at := k.keepAt(d); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// extends tells whether leases are kept up: not those of an iterator that
// was left.
func (k *Consumer) extends() bool {
	return !k.opts.noExtend && k.state < ended && (k.handler != nil || k.state == consuming)
}

// left tells that an iterator was left and its last lease settled or over.
func (k *Consumer) left(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.leaving {
		return false
	}
	for _, d := range k.held {
		if now.Before(d.until) {
			return false
		}
	}
	return true
}

// keepOne extends past half of the lease, warns at 80 % and ends the context
// with the lease. The delivery stays held all the same: the group's clock
// decides, and may be behind.
func (k *Consumer) keepOne(d *Delivery, now, grace time.Time) {
	if k.extends() && !d.extending && !now.Before(d.until.Add(-d.lease/2)) {
		s := d.newSettle("extend", transport.SettleItem{Action: transport.ActionExtend})
		d.extending = k.c.out.pushSettle(s) == nil // refused: closed, and the consumer is about to be
	}
	if !d.warned && !now.Before(d.until.Add(-time.Duration((1-warnAt)*float64(d.lease)))) {
		d.warned = true
		k.c.opts.logger.Warn("lease is running out", "queue", k.queue, "id", d.ID.String(),
			"left", d.until.Sub(now))
		if warn := k.opts.leaseWarning; warn != nil {
			k.c.out.tell(func(error) { warn(d) }, nil)
		}
	}
	if now.Before(d.until) {
		return
	}
	if now.Before(grace) {
		d.until, d.graced = grace, true
		return
	}
	if d.ctx != nil && d.ctx.Err() == nil {
		why := localError(transport.CodeLeaseLost, "", d.Queue, "", context.DeadlineExceeded)
		why.Cause = transport.CauseExpired
		d.cancel(why)
	}
}

// pumpCredits tells how far consumers without acks have come.
func (m *manager) pumpCredits() {
	o := m.out
	o.mu.Lock()
	credits := o.credits
	o.credits = nil
	for _, k := range credits {
		k.listed = false
	}
	o.mu.Unlock()
	for _, k := range credits {
		through := k.credit()
		if through == 0 {
			continue
		}
		credit := transport.Credit{Handle: m.session.handle, Consumer: k.number, Through: through}
		m.send(transport.OpCredit, 0, 0, credit.AppendTo)
	}
}

// credit is how far the consumer has come, 0 if the node knows already.
func (k *Consumer) credit() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	through := k.taken
	if k.opts.limit > 0 { // as many as its prefetch are assigned beyond
		wanted := k.opts.limit - min(k.opts.limit, k.got)
		prefetch := uint64(k.opts.prefetch)
		through -= min(through, prefetch-min(prefetch, wanted))
	}
	if through <= k.credited {
		return 0
	}
	k.credited, k.takenSize = through, 0
	return through
}
