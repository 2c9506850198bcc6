package fsm

import "fmt"

// checkAlone checks that a message which has to be alone is, and that who is
// kept for one can have it.
func checkAlone(q *queue, c *consumer) error {
	alone := false
	c.held.Scan(func(_, place uint64) bool {
		l, _ := q.leased.Get(place)
		alone = alone || l.flags&flagAlone != 0
		return true
	})
	if alone != c.alone || alone && c.held.Len() > 1 {
		return fmt.Errorf("holds %d, one of them alone: %v, noted: %v", c.held.Len(), alone, c.alone)
	}
	if c.kept == 0 {
		return nil
	}
	m, ok := q.waiting.Get(c.kept)
	if serial, _ := q.keeper(c.kept); !ok || m.flags&flagReserved == 0 || serial != c.serial || !c.present() || c.alone || c.noAck {
		return fmt.Errorf("kept for place %d, which is for %d, live %v", c.kept, serial, c.live)
	}
	if q.lines != nil {
		if l, grouped := q.lines.all.Get(m.line); grouped && l.group != "" && (l.parked || l.blocked(q)) {
			return fmt.Errorf("kept for place %d, whose group %q is held back, parked: %v", c.kept, l.group, l.parked)
		}
	}
	return nil
}
