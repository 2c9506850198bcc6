package fsm

import (
	"fmt"
	"slices"
	"strings"
)

// neverFits tells whether what refused a message as full would refuse one of an
// operation that is all or nothing if it was empty, too: else a retry may succeed.
// The messages from that one on are counted, as those before are planned.
func (s *State) neverFits(p *plan, from int, entry []byte) bool {
	w := &s.work
	q, sum := p.full.queue, p.full.taken
	for i := from; i < len(w.incoming); i++ {
		in := &w.incoming[i]
		to := &w.targets[in.to]
		if to.queue != q && !slices.Contains(w.matched[in.from:in.until], q.incarnation) {
			continue
		}
		a := s.arrivalOf(i, entry)
		if x, identified := s.identify(in, &a, entry); identified {
			if to.judgeID(p, &x).Code != OK {
				continue
			}
			p.note(to.intake().incarnation, &x)
		}
		sum.messages++
		sum.bytes += uint64(in.size)
	}
	return q.within(sum.messages, sum.bytes) != CauseNone
}

// tooMuch refuses messages that a queue could not hold together if it was empty.
func (q *queue) tooMuch() Result {
	var limits []string
	switch n := q.settings.MaxMessages; n {
	case 0:
	case 1:
		limits = append(limits, "1 message")
	default:
		limits = append(limits, fmt.Sprintf("%d messages", n))
	}
	if n := q.settings.MaxBytes; n > 0 {
		limits = append(limits, fmt.Sprintf("%d bytes", n))
	}
	return Result{Code: TooLarge, Detail: q.called() + " cannot hold so much at once: its limit is " + strings.Join(limits, " and ")}
}
