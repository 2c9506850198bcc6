package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// limited is a history of a queue for three messages, at which somebody looks.
func limited() *history.Run {
	b := newBook()
	for i := range 40 {
		o := b.op(history.Op{Client: 1, Kind: history.Read})
		o.Counts = &history.Queue{Name: testQueue, Ready: uint64(i % 3), Leased: 1}
		switch i % 4 {
		case 1:
			b.op(history.Op{Client: 1, Kind: history.Publish, Outcome: history.Fail, Code: "busy"})
		case 2:
			b.op(history.Op{Client: 1, Kind: history.Publish, Outcome: history.Fail, Code: CodeDropped})
		}
	}
	return b.close()
}

func TestLimits(t *testing.T) {
	c := Limits{
		Workload: "w", Queues: []string{testQueue}, Max: 3,
		Floors: LimitsFloors{Reads: 40, Full: 13, Refused: 10, Dropped: 10},
	}
	mustFind(t, c, limited, []planted{
		{"one more", KindOverfull, func(t *testing.T, run *history.Run) {
			find(t, run, 5, kind(history.Read, history.OK)).Counts.Parked = 1
		}},
		{"in the end", KindLeft, everywhere(0, func(q *history.Queue) { q.Retrying = 1 })},
		{"never full", KindVacuous, func(_ *testing.T, run *history.Run) {
			for i := range run.Ops {
				if c := run.Ops[i].Counts; c != nil && c.Ready == 2 {
					c.Ready = 0
				}
			}
		}},
	})
}
