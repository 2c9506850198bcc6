package report

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// bucketsMax is into how many buckets the time of a run is cut, at most.
const bucketsMax = 240

// widths of a bucket that a person can reckon with.
var widths = [...]time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// axis is the time of a run, from 0 to end, cut into buckets of one width.
type axis struct {
	end, width int64 // ns
	buckets    int
}

// timeMax bounds the times that are drawn, so that sums of them stay in range.
const timeMax = int64(10 * 365 * 24 * time.Hour)

func newAxis(end int64) axis {
	end = min(max(end, int64(time.Second)), timeMax)
	width := end/bucketsMax + 1
	for _, w := range widths {
		if int64(w) >= width {
			width = int64(w)
			break
		}
	}
	return axis{end: end, width: width, buckets: int((end + width - 1) / width)}
}

// axisOf covers everything that has a time.
func axisOf(run *history.Run) axis {
	end := max(run.Healed, run.Stopped, run.Drained, run.Ended)
	for i := range run.Ops {
		end = max(end, run.Ops[i].Call, run.Ops[i].Return)
	}
	for i := range run.Faults {
		end = max(end, run.Faults[i].From, run.Faults[i].To)
	}
	for i := range run.Probes {
		end = max(end, run.Probes[i].At)
	}
	return newAxis(end)
}

// clamp takes a time onto the axis.
func (a axis) clamp(at int64) int64 { return min(max(at, 0), a.end) }

// bucket in which a time falls.
func (a axis) bucket(at int64) int { return min(int(a.clamp(at)/a.width), a.buckets-1) }

// slot in which a time falls, of a number of equal ones.
func (a axis) slot(at int64, slots int) int {
	return min(int(float64(a.clamp(at))/float64(a.end)*float64(slots)), slots-1)
}

// micros is the unit of the page.
func micros(ns int64) int64 { return ns / int64(time.Microsecond) }

// clip bounds a text that is shown.
func clip(text string, runes int) string {
	n := 0
	for i := range text {
		if n == runes {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
