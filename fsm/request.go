package fsm

import (
	"cmp"

	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// asked is a request whose requester may still want its answer. It is never
// changed: a change makes a new one.
type asked struct {
	serial   uint64
	session  uint64    // serial of the requester
	number   uint64    // of its operation
	id       messageID // of its message
	deadline int64     // wall clock: until then it is kept

	answered bool
	code     Code      // of the answer
	answer   messageID // its body; zero: none
}

// messageID is an id within the group.
type messageID struct {
	index    uint64
	position uint32
}

// requests are those whose deadline has not come, and whose requester did not
// say that it has the answer. What follows from all is
// derived.
type requests struct {
	all     btree.Map[uint64, *asked] // by serial
	byOp    *btree.BTreeG[opKey]
	waiting map[messageID]uint64 // serials of those without an answer; looked up, never walked
	count   map[uint64]int       // by session; the same
}

// opKey finds the requests of a session, by operation number.
type opKey struct{ session, number, serial uint64 }

func newRequests() requests {
	less := func(a, b opKey) bool {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.number, b.number)) < 0
	}
	return requests{byOp: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}), waiting: map[messageID]uint64{},
		count: map[uint64]int{}}
}

// request publishes a message that asks for an answer.
func (s *State) request(c *Request, entry []byte) Result {
	x, r := s.admit(&c.OpHeader, 1)
	if x == nil {
		return r
	}
	if r = (Result{Code: OutOfOrder}); x.inOrder(&c.OpHeader) {
		r = s.ask(x, c, entry)
	}
	return s.keep(x, &c.OpHeader, 1, s.at(r, 1))
}

func (s *State) ask(x *session, c *Request, entry []byte) Result {
	if len(c.Taken) > MaxTaken {
		return Result{Code: Invalid, Detail: "more than 256 answers taken"}
	}
	s.took(x, c.Taken)
	s.clearIntake()
	if r := s.aim(c.Queue); r.Code != OK {
		return r
	}
	w := &s.work
	q := w.targets[0].queue
	if q == nil {
		return Result{Code: Invalid, Detail: "a request to a topic"}
	}
	if _, r := s.examine(1, c.Records, w.recordsAt); r.Code != OK {
		return r
	}
	in := &w.incoming[0]
	if w.verdicts[0].Code == OK {
		if r := s.limit(in, entry); r.Code != OK {
			return r
		}
		in.flags = flagRequest
		if c.NoRetry {
			in.flags |= flagNoRetry
		}
		if q.present == 0 {
			return Result{Code: NoResponders}
		}
		if s.requests.count[x.serial] >= MaxRequests {
			return Result{Code: Busy, Cause: CauseRequests, RetryAfterMillis: RetryCountMillis}
		}
	}
	r := s.storeAll(entry)
	if w.verdicts[0].Code == OK && r.Code == OK { // a duplicate has its own verdict, and is no request
		s.addRequest(&asked{serial: s.nextSerial(), session: x.serial, number: c.Number,
			id: messageID{s.index, w.position}, deadline: in.deadline})
	}
	return r
}

// limit reads the deadline of a request.
func (s *State) limit(in *incoming, entry []byte) Result {
	info := &s.work.info
	if err := info.Peek(entry[in.offset : in.offset+in.length]); err != nil {
		s.fail(err) // examine read it
	}
	now := uint64(s.clock.WallMillis)
	switch {
	case !info.Present.Has(record.TagDeadline):
		return Result{Code: Invalid, Detail: "a request without a deadline"}
	case info.DeadlineMillis <= now:
		return Result{Code: Expired}
	case info.DeadlineMillis > now+MaxRequestMillis:
		return Result{Code: Invalid, Detail: "the deadline is more than a day away"}
	case s.readyAt(info) >= int64(info.DeadlineMillis):
		return Result{Code: Invalid, Detail: "delivery is not before the deadline"}
	}
	in.deadline = int64(info.DeadlineMillis)
	return Result{}
}

func (s *State) addRequest(a *asked) {
	s.requests.all.Set(a.serial, a)
	s.requests.byOp.Set(opKey{a.session, a.number, a.serial})
	s.requests.count[a.session]++
	if !a.answered {
		s.requests.waiting[a.id] = a.serial
	}
	var none int64
	s.timers.move(timerAsked, a.serial, &none, a.deadline)
}

// forgetRequest lets go of a request and its answer.
func (s *State) forgetRequest(a *asked) {
	s.requests.all.Delete(a.serial)
	s.requests.byOp.Delete(opKey{a.session, a.number, a.serial})
	delete(s.requests.waiting, a.id)
	if s.requests.count[a.session]--; s.requests.count[a.session] == 0 {
		delete(s.requests.count, a.session)
	}
	at := a.deadline
	s.timers.move(timerAsked, a.serial, &at, 0)
	if a.answer.index != 0 {
		s.drop(a.answer.index, a.answer.position)
	}
}

// answer tells how the request of a message ended, if anybody still asks. The
// body of the answer, if there is one, is stored already.
func (s *State) answer(id messageID, code Code, body messageID) {
	serial, ok := s.requests.waiting[id]
	if !ok {
		return
	}
	have, _ := s.requests.all.Get(serial)
	a := *have
	a.answered, a.code, a.answer = true, code, body
	delete(s.requests.waiting, id)
	s.requests.all.Set(serial, &a)
	s.tellAnswer(&a)
	if s.trace != nil {
		s.trace(s.event(TraceAnswered, "", id))
	}
}

// settleRequest answers the request of a message, if it is one, without a body.
func (s *State) settleRequest(m *message, code Code) {
	if m.flags&flagRequest != 0 {
		s.answer(messageID{m.index, m.position}, code, messageID{})
	}
}

// tellAnswer sends an answer to its requester, if it is attached.
func (s *State) tellAnswer(a *asked) {
	x, ok := s.sessions.Get(a.session)
	if !ok || !x.attached {
		return
	}
	e := Effect{Kind: EffectAnswer, Code: a.code, Session: x.id, Epoch: x.epoch, Node: x.node, Number: a.number}
	if a.answer.index != 0 {
		b, err := s.bodies.Get(a.answer.index, a.answer.position)
		if err != nil {
			s.fail(err)
			return
		}
		e.Body = b
		e.ID = ID{Group: s.group, Index: a.answer.index, Position: a.answer.position}
	}
	s.emit(&e)
}

// took lets go of requests whose answers their session has. What has no answer
// yet stays, as nobody can have it.
func (s *State) took(x *session, numbers []uint64) {
	for _, n := range numbers {
		k, ok := s.requests.byOp.Get(opKey{session: x.serial, number: n})
		if !ok {
			continue
		}
		if a, _ := s.requests.all.Get(k.serial); a.answered {
			s.forgetRequest(a)
		}
	}
}

// endRequest is a request's deadline. Its message, if it is still there, goes
// by its own time.
func (s *State) endRequest(serial uint64) bool {
	if !s.affords(1) {
		return false
	}
	a, _ := s.requests.all.Get(serial)
	if !a.answered {
		late := *a
		late.code = Expired
		s.tellAnswer(&late)
	}
	s.forgetRequest(a)
	return true
}

// endRequests forgets the requests of a session that is gone. Their messages
// stay what they are, and nobody is told.
func (s *State) endRequests(x *session) {
	for {
		var next uint64
		s.requests.byOp.Ascend(opKey{session: x.serial}, func(k opKey) bool {
			if k.session == x.serial {
				next = k.serial
			}
			return false
		})
		a, ok := s.requests.all.Get(next)
		if !ok {
			return
		}
		s.forgetRequest(a)
	}
}

// await asks again for an answer, which may be there by now.
func (s *State) await(c *Await) Result {
	x, r := s.sessionAt(c.Session, c.Epoch)
	if x == nil {
		return r
	}
	k, ok := s.requests.byOp.Get(opKey{session: x.serial, number: c.Number})
	if !ok {
		return Result{Code: NotFound}
	}
	a, _ := s.requests.all.Get(k.serial)
	if !a.answered {
		return Result{}
	}
	s.tellAnswer(a)
	return Result{Value: 1}
}
