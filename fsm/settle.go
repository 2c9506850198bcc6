package fsm

import "unicode/utf8"

// settleAll settles deliveries, each judged for itself; with a predecessor,
// all are valid or nothing happens.
func (s *State) settleAll(c *Settle) Result {
	items := min(len(c.Items), MaxItems)
	x, r := s.admit(&c.OpHeader, items)
	if x == nil {
		return r
	}
	var refused Result
	switch {
	case !x.inOrder(&c.OpHeader):
		refused = Result{Code: OutOfOrder}
	case len(c.Items) == 0:
		refused = Result{Code: Invalid, Detail: "nothing to settle"}
	case len(c.Items) > MaxItems:
		refused = Result{Code: TooLarge, Detail: "more than 1000 settles"}
	case c.Ordered:
		_, refused = s.judgeAll(x, c.Items)
	}
	if refused.Code != OK {
		return s.keep(x, &c.OpHeader, items, s.at(refused, 1))
	}
	w := &s.work
	w.verdicts = w.verdicts[:0]
	for i := range c.Items {
		it := &c.Items[i]
		q, v := s.judgeSettle(x, it)
		if v.Code == OK {
			s.settleOne(q, it)
		}
		w.verdicts = append(w.verdicts, v)
	}
	return s.keep(x, &c.OpHeader, items, s.at(verdict(w.verdicts, ""), items))
}

// judgeAll is the first refusal among settles that are carried out together,
// and which of them that is.
func (s *State) judgeAll(x *session, items []SettleItem) (int, Result) {
	type delivery struct{ incarnation, place uint64 }
	ended := make(map[delivery]bool, len(items)) // looked up, never walked
	for i := range items {
		it := &items[i]
		_, v := s.judgeSettle(x, it)
		d := delivery{it.Incarnation, it.Place}
		if v.Code == OK && ended[d] {
			v = Verdict{Code: LeaseLost, Cause: CauseSettled}
		}
		if v.Code != OK {
			return i, Result{Code: v.Code, Cause: v.Cause, RetryAfterMillis: v.RetryAfterMillis}
		}
		ended[d] = it.Action != ActionExtend
	}
	return 0, Result{}
}

// judgeSettle tells whether a settle may be carried out.
func (s *State) judgeSettle(x *session, it *SettleItem) (*queue, Verdict) {
	if it.Action < ActionAck || it.Action > ActionExtend {
		return nil, Verdict{Code: Invalid}
	}
	if it.Action == ActionNack && (it.Reason < ReasonMessage || it.Reason > ReasonUnstarted) {
		return nil, Verdict{Code: Invalid}
	}
	if it.Action == ActionNack && it.DelayMillis > MaxRetryMillis {
		return nil, Verdict{Code: Invalid}
	}
	q := s.queue(it.Incarnation)
	if q == nil {
		if it.Incarnation == 0 || it.Incarnation > s.incarnations {
			return nil, lost(CauseUnknownToken)
		}
		return nil, lost(CauseQueueGone)
	}
	l, ok := q.leased.Get(it.Place)
	if !ok || l.token != it.Token {
		return nil, lost(s.whyLost(q, it, &l, ok))
	}
	if c, _ := s.consumers.Get(l.consumer); c.session != x.serial {
		return nil, lost(CauseNotHolder)
	}
	return q, Verdict{}
}

func lost(why Cause) Verdict { return Verdict{Code: LeaseLost, Cause: why} }

// whyLost tells what became of a token. A message remembers how its last
// lease ended; of older ones no more is known than who has the message now.
func (s *State) whyLost(q *queue, it *SettleItem, l *lease, leased bool) Cause {
	if it.Token == 0 || it.Token > s.tokens || it.Place == 0 || it.Place > q.places {
		return CauseUnknownToken
	}
	if leased {
		if l.lastToken == it.Token {
			return l.lastEnd
		}
		return CauseNotHolder
	}
	m, ok := q.returnedAt(it.Place)
	if !ok {
		m, ok = q.waiting.Get(it.Place)
	}
	if !ok {
		m, ok = q.parked.Get(it.Place)
	}
	if !ok {
		return q.whyGone(it)
	}
	if m.lastToken == it.Token {
		return m.lastEnd
	}
	return CauseUnknownToken
}

// whyGone tells what became of a delivery whose message has no record.
func (q *queue) whyGone(it *SettleItem) Cause {
	if q.packedAt(it.Place) {
		return CauseUnknownToken // it waits for its first lease
	}
	if q.wasRecalled(it.Token) {
		return CauseRequeued
	}
	return CauseSettled
}

func (s *State) settleOne(q *queue, it *SettleItem) {
	e := ending{cause: CauseSettled}
	switch it.Action {
	case ActionExtend:
		s.extend(q, it.Place)
		return
	case ActionAck:
		e.outcome = toDone
	case ActionNack:
		e.failed = it.Reason == ReasonMessage
		e.downstream = it.Reason == ReasonDownstream
		e.attempt = e.failed || e.downstream
		e.lost = it.Reason == ReasonShutdown // whoever has not begun says so
		e.delay = it.DelayMillis
		e.reason = it.Reason
		e.note = cut(it.Error)
	case ActionReject:
		e.outcome = toDead
		e.attempt = true
		e.note = cut(it.Error)
	}
	s.endLease(q, it.Place, e)
}

// extend starts a lease anew. The consumer's timer stays: it is corrected
// when it fires. From now on the delivery counts as started.
func (s *State) extend(q *queue, place uint64) {
	l, _ := q.leased.Get(place)
	l.at = millisOf(s.clock.LeaseMillis + int64(l.millis))
	l.flags |= flagExtended
	q.leased.Set(place, l)
	if s.trace != nil {
		c, _ := s.consumers.Get(l.consumer)
		s.tell(TraceExtended, q, l.index, l.position, c, l.token, "")
	}
}

// cut keeps the beginning of an error, whole characters only.
func cut(text string) string {
	if len(text) <= MaxErrorBytes {
		return text
	}
	n := MaxErrorBytes
	for n > MaxErrorBytes-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
