package report

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	// marksMax is how many operations without success are drawn one by one.
	marksMax = 1200
	// markSlots is into how many columns time is cut to let those that would
	// cover one another share a mark.
	markSlots = 400
	textMax   = 160
)

// mark is an operation that failed or has an unknown outcome, and the number
// of those like it at the same place.
type mark struct {
	At       int64  `json:"t"` // µs
	Latency  int64  `json:"l"` // µs
	Side     int    `json:"s"`
	Workload int    `json:"w"`
	Outcome  int    `json:"o"`
	Count    int    `json:"n"`
	Text     string `json:"x"`
}

// place is what two operations have in common that share a mark.
type place struct {
	slot, height, side, workload int
	outcome                      history.Outcome
}

// marksOf gives the marks in the order of time, and of how many operations and
// marks they are a part.
func marksOf(ops []history.Op, a axis, n *names) (all []mark, operations, places int) {
	at, marks := map[place]int{}, []mark{}
	for i := range ops {
		o := &ops[i]
		side := sideOf(o.Kind)
		if side == sideNone || o.Outcome == history.OK {
			continue
		}
		operations++
		latency := micros(a.latency(o))
		p := place{
			slot: a.slot(o.Call, markSlots), height: heightOf(latency),
			side: side, workload: n.of(o.Workload), outcome: o.Outcome,
		}
		if j, taken := at[p]; taken {
			marks[j].Count++
			continue
		}
		at[p] = len(marks)
		marks = append(marks, mark{
			At: micros(a.clamp(o.Call)), Latency: latency, Side: side, Workload: p.workload,
			Outcome: int(o.Outcome), Count: 1, Text: textOf(o),
		})
	}
	places = len(marks)
	slices.SortStableFunc(marks, func(x, y mark) int { return cmp.Compare(x.At, y.At) })
	return thin(marks, marksMax), operations, places
}

// heightOf is the octave of a latency and the quarter within it.
func heightOf(latency int64) int {
	v := uint64(max(latency, 4))
	octave := bits.Len64(v)
	return octave*4 + int(v>>(octave-3)&3)
}

// thin keeps at most so many, evenly.
func thin[T any](all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	kept := make([]T, 0, most)
	for i := range most {
		kept = append(kept, all[i*len(all)/most])
	}
	return kept
}

func textOf(o *history.Op) string {
	text := string(o.Kind) + " " + o.Queue
	if o.Key != (history.Key{}) {
		text += " " + o.Key.String()
	}
	for _, more := range []string{o.Code, o.Error} {
		if more != "" {
			text += ": " + more
		}
	}
	return clip(text, textMax)
}
