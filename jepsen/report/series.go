package report

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Sides of the page: the operations whose latencies share a chart.
const (
	sidePublish = iota
	sideSettle
	sideAdmin
	sides
	sideNone = -1
)

func sideOf(k history.Kind) int {
	switch k {
	case history.Publish:
		return sidePublish
	case history.Ack, history.Nack, history.Reject, history.Extend:
		return sideSettle
	case history.Create, history.Update, history.Delete, history.Purge, history.Pause, history.Resume, history.Read:
		return sideAdmin
	}
	return sideNone
}

// workloadsMax is how many workloads have a colour of their own; the others
// share one.
const (
	workloadsMax = 12
	nameMax      = 40
	otherName    = "all others"
)

// series is one workload over time: a value a bucket, latencies in
// microseconds and -1 where there is none.
type series struct {
	Name       string           `json:"name"`
	Latency    [sides]quantiles `json:"latency"`
	Confirms   []int32          `json:"confirms"`
	Deliveries []int32          `json:"deliveries"`
}

type quantiles struct {
	P50 []int64 `json:"p50"`
	P99 []int64 `json:"p99"`
	Max []int64 `json:"max"`
}

// names are the workloads of a run, in the order in which they first appear.
type names struct {
	list []string
	at   map[string]int
}

func namesOf(ops []history.Op) *names {
	n := &names{at: map[string]int{}}
	for i := range ops {
		name := ops[i].Workload
		if _, known := n.at[name]; known || len(n.list) == workloadsMax {
			continue
		}
		n.at[name] = len(n.list)
		n.list = append(n.list, clip(name, nameMax))
		if len(n.list) == workloadsMax {
			n.list[workloadsMax-1] = otherName
		}
	}
	return n
}

func (n *names) of(workload string) int {
	if i, known := n.at[workload]; known {
		return i
	}
	return workloadsMax - 1
}

// seriesOf sorts every latency into its workload, side and bucket: that of an
// operation belongs to the moment of its call, a confirm to that of its answer.
func seriesOf(ops []history.Op, a axis, n *names) []series {
	all := make([]series, len(n.list))
	latencies := make([][sides][][]int64, len(all))
	for i := range all {
		all[i] = series{Name: n.list[i], Confirms: make([]int32, a.buckets), Deliveries: make([]int32, a.buckets)}
		for side := range sides {
			latencies[i][side] = make([][]int64, a.buckets)
		}
	}
	for i := range ops {
		o := &ops[i]
		w := n.of(o.Workload)
		if o.Kind == history.Deliver {
			all[w].Deliveries[a.bucket(o.Call)]++
			continue
		}
		side := sideOf(o.Kind)
		if side == sideNone || o.Outcome != history.OK {
			continue
		}
		if side == sidePublish {
			all[w].Confirms[a.bucket(o.Return)]++
		}
		b := a.bucket(o.Call)
		latencies[w][side][b] = append(latencies[w][side][b], a.latency(o))
	}
	for i := range all {
		for side := range sides {
			all[i].Latency[side] = quantilesOf(latencies[i][side])
		}
	}
	return all
}

// latency of an operation; one that was never answered waited until the end.
func (a axis) latency(o *history.Op) int64 {
	returned := o.Return
	if returned == 0 {
		returned = a.end
	}
	return max(0, a.clamp(returned)-a.clamp(o.Call))
}

// quantilesOf is empty if no bucket has a value.
func quantilesOf(buckets [][]int64) quantiles {
	var q quantiles
	found := false
	for _, b := range buckets {
		if len(b) == 0 {
			q.P50, q.P99, q.Max = append(q.P50, -1), append(q.P99, -1), append(q.Max, -1)
			continue
		}
		found = true
		slices.Sort(b)
		q.P50 = append(q.P50, micros(rank(b, 50)))
		q.P99 = append(q.P99, micros(rank(b, 99)))
		q.Max = append(q.Max, micros(b[len(b)-1]))
	}
	if !found {
		return quantiles{}
	}
	return q
}

// rank is the smallest value that at least percent of the sorted values do not exceed.
func rank(sorted []int64, percent int) int64 {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
