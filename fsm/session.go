package fsm

import "slices"

// session is a client's record in this group.
type session struct {
	gen        uint64
	serial     uint64
	id         SessionID
	secret     SecretHash
	principal  string
	idleMillis uint32

	epoch    uint64
	attached bool
	node     string // of the attachment
	ending   bool   // End was applied: its id is free, its leases return
	graceAt  int64  // detached with leases: when it loses them
	idleAt   int64  // detached: when it goes

	judged      uint64 // highest operation number judged
	answered    uint64 // highest answered_through
	lastOrdered uint64 // last accepted operation that named a predecessor
	kept        []kept // results above answered, by number; appended to, never written
	keptItems   int

	consumers []member // by number; replaced, never written
}

// member is a consumer of a session.
type member struct {
	number uint32
	serial uint64
}

func (x *session) find(number uint32) (i int, ok bool) {
	return slices.BinarySearchFunc(x.consumers, number, func(m member, n uint32) int {
		return int(int64(m.number) - int64(n))
	})
}

func (s *State) nextSerial() uint64 {
	s.serials++
	return s.serials
}

// sessionOf returns the session of an id, for changing it; nil if there is none.
func (s *State) sessionOf(id SessionID) *session {
	serial, ok := s.byID[id]
	if !ok {
		return nil
	}
	return s.session(serial)
}

// sessionAt judges session and epoch of a command. Only the current epoch is
// heard, attached or not.
func (s *State) sessionAt(id SessionID, epoch uint64) (*session, Result) {
	x := s.sessionOf(id)
	if x == nil {
		return nil, Result{Code: SessionExpired}
	}
	if epoch != x.epoch {
		return nil, Result{Code: Fenced, Value: x.epoch}
	}
	return x, Result{}
}

// open makes a session's record. Repeating it changes nothing.
func (s *State) open(c *Open) Result {
	switch {
	case len(c.Principal) > MaxPrincipalBytes:
		return Result{Code: Invalid, Detail: "principal is longer than 256 bytes"}
	case c.IdleExpiryMillis != 0 && (c.IdleExpiryMillis < MinIdleExpiryMillis || c.IdleExpiryMillis > MaxIdleExpiryMillis):
		return Result{Code: Invalid, Detail: "idle expiry is not within 1 s and 7 days"}
	}
	if x := s.sessionOf(c.Session); x != nil {
		if x.secret != c.Secret || x.principal != c.Principal {
			return Result{Code: Denied}
		}
		return Result{Value: x.judged}
	}
	if s.sessions.Len() >= MaxSessions {
		return Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}
	}
	x := &session{gen: s.gen, serial: s.nextSerial(), id: c.Session, secret: c.Secret,
		principal: c.Principal, idleMillis: c.IdleExpiryMillis}
	if x.idleMillis == 0 {
		x.idleMillis = DefaultIdleExpiryMillis
	}
	s.sessions.Set(x.serial, x)
	s.byID[x.id] = x.serial
	s.timers.move(timerIdle, x.serial, &x.idleAt, s.clock.LeaseMillis+int64(x.idleMillis))
	return Result{}
}

// end gives a session up. Its id is free at once; its leases return without
// being counted, in batches if they are many, and it goes with the last.
func (s *State) end(c *End) Result {
	x, r := s.sessionAt(c.Session, c.Epoch)
	if x == nil {
		return r
	}
	s.retire(x)
	return Result{}
}

// endNow is a deadline before every clock.
const endNow = -1

func (s *State) retire(x *session) {
	s.silence(x)
	x.ending = true
	x.kept, x.keptItems = nil, 0
	delete(s.byID, x.id)
	s.endRequests(x)
	s.timers.move(timerGrace, x.serial, &x.graceAt, 0)
	s.timers.move(timerIdle, x.serial, &x.idleAt, endNow)
}

// silence stops hand-outs to a session and the clocks of its leases.
func (s *State) silence(x *session) {
	x.attached, x.node = false, ""
	for _, m := range x.consumers {
		c := s.consumer(m.serial)
		q := s.queue(c.queue)
		q.countPresent(c, -1)
		c.live = false
		s.timers.move(timerLease, c.serial, &c.armedAt, 0)
		s.letGo(q, c)
		s.offer(q, c)
		s.yields(q)
	}
}

// holds is the number of a session's unsettled deliveries.
func (s *State) holds(x *session) (n int) {
	for _, m := range x.consumers {
		c, _ := s.consumers.Get(m.serial)
		n += c.held.Len()
	}
	return n
}
