package client

import (
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Settles that are a part of something else: of a Tx, or of a Reply.

// beginTogether is begin for such a settle.
func (d *Delivery) beginTogether(op string, item transport.SettleItem) (*settle, error) {
	s, err := d.begin(op, item)
	if err != nil {
		return nil, err
	}
	d.k.mu.Lock()
	d.asked = &asked{op: op}
	d.k.mu.Unlock()
	return s, nil
}

// endTogether ends the settles with their outcome, in which r is nil if no
// group judged. Of a Tx that is refused because a lease is lost, the other
// deliveries are held as before, as far as is known.
func endTogether(began []*settle, r *transport.Result, refused *Error) {
	if refused == nil || refused.Code != transport.CodeLeaseLost {
		for _, s := range began {
			s.d.endTogether(s, refused)
		}
		return
	}
	lost := lostOf(began, r)
	if lost != nil {
		refused.Delivery = lost.d
	}
	held := localError(transport.CodeConflict, refused.Op, refused.Resource, "another delivery's lease is lost", nil)
	for _, s := range began {
		if s == lost {
			s.d.endTogether(s, refused)
		} else {
			s.d.endTogether(s, held)
		}
	}
}

// endTogether takes the outcome. A handler that has returned settles nothing any
// more, so what failed is given back.
func (d *Delivery) endTogether(s *settle, refused *Error) {
	if refused != nil {
		d.k.mu.Lock()
		d.asked = &asked{op: s.op, failed: refused}
		d.k.mu.Unlock()
	}
	d.settled(s, refused)
	if refused == nil {
		return
	}
	d.k.mu.Lock()
	left := d.left && d.state == stateStarted
	d.k.mu.Unlock()
	if left {
		d.settleAsync("nack", nackItem(ReasonMessage, refused.Error()), time.Time{}, nil)
	}
}

// lostOf is the settle that a Tx was refused for, nil if the answer does not
// say: its detail begins with "settle" and the number of the item.
func lostOf(began []*settle, r *transport.Result) *settle {
	if r == nil {
		return nil
	}
	var n int
	if _, err := fmt.Sscanf(r.Detail, "settle %d", &n); err == nil && n >= 0 && n < len(began) {
		return began[n]
	}
	if len(began) == 1 {
		return began[0]
	}
	return nil
}
