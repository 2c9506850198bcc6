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
	present        record.Set
	to             int32 // which of work.targets
}

// unready are the attributes that nothing is done with.
const unready = record.Set(1<<record.TagDedupID | 1<<record.TagGroupKey | 1<<record.TagPriority |
	1<<record.TagTenant)

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
		case info.Present&unready != 0:
			v.Code = Unsupported
		case s.whenFault(&info) != "":
			v.Code = Invalid
		default:
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

// faultOf says what is wrong with the first message that cannot be stored.
func (s *State) faultOf(entry []byte) string {
	for i, v := range s.work.verdicts {
		in := s.work.incoming[i]
		switch v.Code {
		case Invalid, TooLarge:
			var info record.Info
			if err := info.Peek(entry[in.offset : in.offset+in.length]); err != nil {
				return fmt.Sprintf("message %d: %v", i, err)
			}
			return fmt.Sprintf("message %d: %s", i, s.whenFault(&info))
		case Unsupported:
			return fmt.Sprintf("message %d: attribute", i)
		}
	}
	return ""
}
