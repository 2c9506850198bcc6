package fsm

import "slices"

// recallMax is how many tokens of deliveries that an operator took back a
// queue remembers: their messages are elsewhere by then, and without it a late
// settle would be told that it was settled.
const recallMax = 1024

// recall notes that an operator took a delivery back.
func (q *queue) recall(token uint64) {
	if len(q.recalled) == recallMax {
		q.recalled = q.recalled[1:]
	}
	q.recalled = append(q.recalled, token) // a pinned queue does not see it
}

func (q *queue) wasRecalled(token uint64) bool { return slices.Contains(q.recalled, token) }
