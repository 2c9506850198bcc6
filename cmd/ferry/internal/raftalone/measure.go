package raftalone

import (
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// How FerryMQ's batcher works, without the broker around it.
const (
	entryBytes      = 256 << 10
	entriesInFlight = 2
	measureMax      = 10 * time.Minute
)

// Request asks the leader's process to measure.
type Request struct {
	Kind     string        `json:"kind"` // "status", "single", "batched"
	Size     int           `json:"size"`
	Duration time.Duration `json:"duration"`
}

// Answer to a Request.
type Answer struct {
	Leader    bool    `json:"leader"`
	PerSecond float64 `json:"per_s"` // messages of Size
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Error     string  `json:"error,omitempty"`
}

func (n *node) answer(q Request) Answer {
	a := Answer{Leader: n.raft.State() == raft.Leader}
	var err error
	switch {
	case q.Kind == "status":
		return a
	case q.Size < 1 || q.Size > entryBytes || q.Duration <= 0 || q.Duration > measureMax:
		err = fmt.Errorf("size %d or duration %s is out of range", q.Size, q.Duration)
	case q.Kind == "single":
		err = n.single(q, &a)
	case q.Kind == "batched":
		err = n.batched(q, &a)
	default:
		err = fmt.Errorf("kind %q is not known", q.Kind)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// single commits one entry of the size at a time.
func (n *node) single(q Request, a *Answer) error {
	l := latency.New()
	commits := 0
	began := time.Now()
	for end := began.Add(q.Duration); time.Now().Before(end); commits++ {
		t := time.Now()
		if err := n.raft.Apply(make([]byte, q.Size), applyTimeout).Error(); err != nil {
			return err
		}
		l.Add(time.Since(t))
	}
	a.PerSecond = float64(commits) / time.Since(began).Seconds()
	a.P50, a.P99 = l.Millis(50), l.Millis(99)
	return nil
}

// batched keeps full entries in flight, each of as many messages as fit.
func (n *node) batched(q Request, a *Answer) error {
	each := entryBytes / q.Size
	l := latency.New()
	began := time.Now()
	type flight struct {
		future raft.ApplyFuture
		sent   time.Time
	}
	var air []flight
	entries := 0
	land := func() error {
		if err := air[0].future.Error(); err != nil {
			return err
		}
		l.Add(time.Since(air[0].sent))
		air = air[1:]
		entries++
		return nil
	}
	for end := began.Add(q.Duration); time.Now().Before(end); {
		if len(air) == entriesInFlight {
			if err := land(); err != nil {
				return err
			}
		}
		air = append(air, flight{n.raft.Apply(make([]byte, each*q.Size), applyTimeout), time.Now()})
	}
	for len(air) > 0 {
		if err := land(); err != nil {
			return err
		}
	}
	a.PerSecond = float64(entries*each) / time.Since(began).Seconds()
	a.P50, a.P99 = l.Millis(50), l.Millis(99)
	return nil
}
