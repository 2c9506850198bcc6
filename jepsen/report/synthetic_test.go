package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

var workloads = []string{"queue", "at-most-once", "fifo", "dedup", "fencing", "admin"}

// synthetic is a run of about so many operations in 40 s, with two deaths of a
// leader at 10 s and 20 s, a slow disk at 26 s, and a fault that does not bite.
func synthetic(seed uint64, operations int) Data {
	r := rand.New(rand.NewPCG(seed, seed))
	at := func(s float64) int64 { return int64(s * 1e9) }
	run := &history.Run{
		Seed: seed, Nemesis: "kill leader", Began: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Nodes: []string{"n1", "n2", "n3"},
		Healed: at(31), Stopped: at(36), Drained: at(37.5), Ended: at(40),
		Faults: []history.Fault{
			{Name: "kill leader", Nodes: []string{"n1"}, From: at(10), To: at(14), Leader: true, Bites: []history.Bite{{What: "processes gone", Count: 1}}},
			{Name: "kill leader", Nodes: []string{"n3"}, From: at(20), To: at(23.5), Leader: true, Bites: []history.Bite{{What: "processes gone", Count: 1}}},
			{Name: "slow fsync", Nodes: []string{"n2"}, From: at(26), To: at(31), Frozen: true, Bites: []history.Bite{{What: "calls held up", Count: 412}}},
			{Name: "one-way cut", Nodes: []string{"n1", "n2"}, From: at(27), To: at(27.2), Bites: []history.Bite{{What: "packets dropped", Count: 0}}},
		},
		Replicas: []history.Replica{{Node: "n1", Applied: 9, Digest: "ab", Queues: []history.Queue{{Name: "queue.q", Published: 7}}}},
	}
	run.Probes = syntheticProbes()
	for i := 0; len(run.Ops) < operations; i++ {
		run.Ops = append(run.Ops, syntheticOps(r, i, at(36)*int64(len(run.Ops))/int64(operations))...)
	}
	for i := range 50 {
		run.Log = append(run.Log, history.Entry{Index: uint64(i + 1), Term: 2, Commands: []history.Command{
			{Kind: "publish", Queue: "queue.q", Messages: history.Messages{Bodies: []string{"p1-1 .."}, Sizes: []int{7}}},
			{Kind: "settle", Items: []history.Item{{Incarnation: 1, Place: uint64(i), Token: 3, Action: "ack"}}},
		}})
	}
	return Data{
		Run: run, Verdicts: syntheticVerdicts(run), Version: "v0.2.0-12-gabcdef",
		Options: map[string]string{"seed": fmt.Sprint(seed), "rate": "2000", "nemesis": "kill leader", "time": "36s"},
	}
}

// down tells whether nobody leads at a time, and for how long still.
func down(t int64) (bool, int64) {
	for _, s := range []int64{10e9, 20e9} {
		if t >= s && t < s+900e6 {
			return true, s + 900e6 - t
		}
	}
	return false, 0
}

func syntheticOps(r *rand.Rand, i int, t int64) []history.Op {
	workload := workloads[i*7%23%len(workloads)]
	latency := func(scale float64) int64 {
		l := int64(2e6 * scale * math.Exp(r.NormFloat64()*.5))
		if t > 26e9 && t < 31e9 {
			l *= 6
		}
		if dead, left := down(t); dead {
			l += left
		}
		return l
	}
	key := history.Key{Producer: uint32(i % 9), Seq: uint64(i)}
	o := history.Op{Client: uint32(i % 9), Workload: workload, Queue: workload + ".q", Kind: history.Publish, Key: key, Call: t, Outcome: history.OK}
	if workload == "admin" && i%5 == 0 {
		o.Kind = history.Update
	}
	o.Return = t + latency(1)
	dead, _ := down(t)
	switch {
	case dead && r.IntN(60) == 0:
		o.Outcome, o.Return, o.Error = history.Unknown, t+int64(3e9)+r.Int64N(2e9), "the leader was lost while it committed"
		return []history.Op{o}
	case dead && r.IntN(4) != 0:
		return nil
	case dead && r.IntN(8) == 0 || r.IntN(9000) == 0:
		o.Outcome, o.Return, o.Code = history.Fail, t+r.Int64N(4e6), "busy"
		return []history.Op{o}
	}
	o.At = history.Witness{Index: uint64(i + 1)}
	d := history.Op{Client: 20, Workload: workload, Queue: o.Queue, Kind: history.Deliver, Key: key, Call: o.Return + 1e6, Return: o.Return + 1e6,
		Outcome: history.OK, ID: o.At, Token: uint64(i), Attempt: 1}
	a := d
	a.Kind, a.Return = history.Ack, d.Call+latency(.8)
	return []history.Op{o, d, a}
}

func syntheticProbes() (probes []history.Probe) {
	leaders := []struct {
		until int64
		name  string
		term  uint64
	}{{10e9, "n1", 2}, {10.9e9, "", 3}, {20e9, "n3", 3}, {20.9e9, "", 5}, {41e9, "n2", 5}}
	for t := int64(100e6); t < 40e9; t += 100e6 {
		l := 0
		for leaders[l].until <= t {
			l++
		}
		for _, node := range []string{"n1", "n2", "n3"} {
			p := history.Probe{At: t, Node: node, Leader: leaders[l].name, Term: leaders[l].term, Applied: uint64(t / 1e6)}
			if node == "n1" && t >= 10e9 && t < 14.4e9 || node == "n3" && t >= 20e9 && t < 23.9e9 {
				p = history.Probe{At: t, Node: node, Error: "connection refused"}
			}
			probes = append(probes, p)
		}
	}
	return probes
}

func syntheticVerdicts(run *history.Run) (verdicts []check.Verdict) {
	for i, w := range workloads {
		for j, c := range []string{"accounting", "witness", "order", "liveness"} {
			if (i+j)%5 == 4 {
				continue
			}
			v := check.NewVerdict(c, w)
			v.Saw("confirmed publishes", int64(len(run.Ops)/18+i*731), 1000)
			v.Saw("deliveries", int64(len(run.Ops)/18+i*531), 1000)
			v.Notes["recovered"] = int64(3 * i)
			if w == "fifo" && c == "accounting" {
				for k := range 37 {
					v.Add("lost", int64(10.02e9)+int64(k)*1e6, "p3-%d was confirmed at 0-%d-0 and never delivered <b>&", 812+k, 40211+k)
				}
			}
			if w == "dedup" && c == "order" {
				v.Undecided("the log has a hole from 4012 to 4090")
			}
			verdicts = append(verdicts, v.Done())
		}
	}
	v := check.NewVerdict("replicas", "")
	v.Saw("replicas", 3, 3)
	v.Picture = "<p>a picture</p>"
	return append(verdicts, v.Done())
}
