package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// What a snapshot has of a queue's intake.

func appendIntake(b []byte, q *queue) []byte {
	for _, v := range [...]uint64{q.overflowed, q.missed, q.duplicates} {
		b = wire.AppendUint(b, v)
	}
	return b
}

func readIntake(c *wire.Cursor, q *queue) {
	q.overflowed, q.missed, q.duplicates = c.Uint(), c.Uint(), c.Uint()
}
