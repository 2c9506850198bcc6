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
	deadline       int64 // of a request, wall clock; 0: it is none
	present        record.Set
	flags          flags // of a request
	to             int32 // which of work.targets
	matched        bool  // to a topic:
	from, until    int32 // the subscriptions in work.matched
}

// examine reads the structure of records for the target added last, which
// begin in the entry at byte at: each is added to work.incoming, and to
// work.verdicts whether it can be stored. It returns the sum of their sizes,
// or why the operation as a whole is refused.
func (s *State) examine(count uint32, records []byte, at int) (sum int, r Result) {
	w := &s.work
	to := int32(len(w.targets) - 1)
	cur := wire.NewCursor(records)
	for range count {
		b := cur.Bytes()
		if cur.Err() != nil {
			break
		}
		in := incoming{offset: at + cur.Offset() - len(b), length: len(b), to: to}
		var info record.Info
		err := info.Peek(b)
		v := Verdict{}
		switch {
		case errors.Is(err, record.ErrTooLarge):
			v.Code = TooLarge
		case err != nil:
			v.Code = Invalid
		case s.attributeFault(&info, &w.targets[to]) != "":
			v.Code = Invalid
		default:
			if w.targets[to].topic != nil {
				s.match(&in, &info)
			}
			in.size, in.present = uint32(info.Logical), info.Present
			sum += info.Logical
		}
		w.incoming = append(w.incoming, in)
		w.verdicts = append(w.verdicts, v)
	}
	if err := cur.Done(); err != nil {
		return 0, Result{Code: Invalid, Detail: "records: " + err.Error()}
	}
	return sum, Result{}
}

// attributeFault says what is wrong with the attributes of a record whose
// structure is right, "" if nothing is.
func (s *State) attributeFault(info *record.Info, to *target) string {
	if to.topic != nil && info.Present.Has(record.TagSubject) {
		if fault := wordsFault(string(info.Subject), false); fault != "" {
			return "subject: " + fault
		}
	}
	return s.whenFault(info)
}

// match finds the subscriptions that get a message. Messages of the same
// subject one after the other share what was found. From the one on that is beyond
// what the operation may put into subscriptions, or compare to find them, none is
// found: putOff and measure refuse them.
func (s *State) match(in *incoming, info *record.Info) {
	w := &s.work
	left := s.fanOutLeft()
	if w.fanOut > left || w.comparing.gaveUp {
		return
	}
	defer func() { w.fanOut += int(in.until - in.from) }()
	var subject []byte
	if info.Present.Has(record.TagSubject) {
		subject = info.Subject
	}
	if n := len(w.incoming) - 1; n >= 0 && w.incoming[n].to == in.to && w.incoming[n].matched && string(subject) == w.subject {
		if last := &w.incoming[n]; w.fanOut+int(last.until-last.from) > left {
			w.fanOut += int(last.until - last.from)
		} else {
			in.from, in.until, in.matched = last.from, last.until, true
		}
		return
	}
	w.subject = string(subject)
	t := w.targets[in.to].topic
	all, words := t.filters.match(w.matched, w.subject, s.wordsLeft())
	if !s.compared(words) {
		return
	}
	if n := len(all) - len(w.matched); w.fanOut+n > left {
		w.fanOut += n
		return
	}
	in.from, in.until, in.matched = int32(len(w.matched)), int32(len(all)), true
	w.matched = all
}

// faultOf says what is wrong with the first message that cannot be stored.
func (s *State) faultOf(entry []byte) string {
	for i, v := range s.work.verdicts {
		in := s.work.incoming[i]
		switch v.Code {
		case Invalid, TooLarge:
			var info record.Info
			fault := info.Peek(entry[in.offset : in.offset+in.length])
			if fault == nil {
				return fmt.Sprintf("message %d: %s", i, s.attributeFault(&info, &s.work.targets[in.to]))
			}
			return fmt.Sprintf("message %d: %v", i, fault)
		}
	}
	return ""
}
