package fsm

import (
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// incoming is one record of a publish.
type incoming struct {
	offset, length int // in the entry
	size           uint32
}

// carried are the attributes that the machine does not look at.
const carried = record.Set(1<<record.TagContentType | 1<<record.TagCorrelationID)

// publish stores messages. They are judged one by one; with a predecessor,
// all are taken or none.
func (s *State) publish(c *Publish, entry []byte) Result {
	items := int(min(c.Count, MaxItems))
	x, r := s.admit(&c.OpHeader, items)
	if x == nil {
		return r
	}
	if !x.inOrder(&c.OpHeader) {
		return s.keep(x, &c.OpHeader, items, s.at(Result{Code: OutOfOrder}, 1))
	}
	q, r := s.publishTo(c.Queue)
	if q == nil {
		return s.keep(x, &c.OpHeader, items, s.at(r, 1))
	}
	if r, ok := s.examine(c, entry); !ok {
		return s.keep(x, &c.OpHeader, items, s.at(r, 1))
	}
	if c.Ordered {
		r = s.storeAll(q, entry)
	} else {
		r = s.storeEach(q, entry)
	}
	return s.keep(x, &c.OpHeader, items, s.at(r, items))
}

func (s *State) publishTo(name string) (*queue, Result) {
	q := s.queueNamed(name)
	if q == nil {
		return nil, Result{Code: NotFound}
	}
	if q.deadLetter == 0 {
		return nil, Result{Code: Invalid, Detail: "a dead-letter queue is filled by the system only"}
	}
	return q, Result{}
}

// examine reads the structure of every record: which can be stored, with
// which size, is in work.incoming and work.verdicts. It is not ok when the
// operation as a whole is refused.
func (s *State) examine(c *Publish, entry []byte) (Result, bool) {
	switch {
	case c.Count == 0:
		return Result{Code: Invalid, Detail: "no messages"}, false
	case c.Count > MaxItems:
		return Result{Code: TooLarge, Detail: "more than 1000 messages"}, false
	}
	w := &s.work
	w.incoming, w.verdicts = w.incoming[:0], w.verdicts[:0]
	cur := wire.NewCursor(c.Records)
	sum := 0
	for range c.Count {
		b := cur.Bytes()
		if cur.Err() != nil {
			break
		}
		in := incoming{offset: w.recordsAt + cur.Offset() - len(b), length: len(b)}
		var info record.Info
		err := info.Peek(b)
		v := Verdict{}
		switch {
		case errors.Is(err, record.ErrTooLarge):
			v.Code = TooLarge
		case err != nil:
			v.Code = Invalid
		case info.Present&^carried != 0:
			v.Code = Unsupported
		default:
			in.size = uint32(info.Logical)
			sum += info.Logical
		}
		w.incoming = append(w.incoming, in)
		w.verdicts = append(w.verdicts, v)
	}
	if err := cur.Done(); err != nil {
		return Result{Code: Invalid, Detail: "records: " + err.Error()}, false
	}
	if sum > MaxOperationBytes {
		return Result{Code: TooLarge, Detail: "more than 1 MiB of messages"}, false
	}
	return Result{}, true
}

func (s *State) storeEach(q *queue, entry []byte) Result {
	w := &s.work
	for i := range w.verdicts {
		v := &w.verdicts[i]
		if v.Code != OK {
			continue
		}
		in := &w.incoming[i]
		if full := q.fits(in.size); full != CauseNone {
			*v = Verdict{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
			continue
		}
		s.store(q, w.position+uint32(i), in, entry)
	}
	return verdict(w.verdicts, s.faultOf(entry))
}

func (s *State) storeAll(q *queue, entry []byte) Result {
	w := &s.work
	sum := uint64(0)
	for i := range w.verdicts {
		if c := w.verdicts[i].Code; c != OK {
			return Result{Code: c, Detail: s.faultOf(entry)}
		}
		sum += uint64(w.incoming[i].size)
	}
	if full := q.fitsAll(uint64(len(w.incoming)), sum); full != CauseNone {
		return Result{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
	}
	for i := range w.incoming {
		s.store(q, w.position+uint32(i), &w.incoming[i], entry)
	}
	return Result{}
}

// faultOf says what is wrong with the first message that cannot be stored.
func (s *State) faultOf(entry []byte) string {
	for i, v := range s.work.verdicts {
		in := s.work.incoming[i]
		switch v.Code {
		case Invalid, TooLarge:
			var info record.Info
			err := info.Peek(entry[in.offset : in.offset+in.length])
			return fmt.Sprintf("message %d: %v", i, err)
		case Unsupported:
			return fmt.Sprintf("message %d: attribute", i)
		}
	}
	return ""
}

func (s *State) store(q *queue, position uint32, in *incoming, entry []byte) {
	if err := s.bodies.Add(s.index, position, entry, in.offset, in.length); err != nil {
		s.fail(err)
		return
	}
	q.places++
	q.lane.append(q.places, packed{index: s.index, wall: s.clock.WallMillis, position: position, size: in.size})
	q.bytes += uint64(in.size)
	q.published++
	s.touch(q)
}
