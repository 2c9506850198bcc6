package check

import (
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Timed judges delays and times to live on the wall clock. The Value of a
// publish is the milliseconds that its message has to wait, or may wait, from
// its call on: a message is not handed out before, and not after; nor is one a
// dead letter before its time is over.
type Timed struct {
	Workload string
	Later    []string // queues whose messages have to wait
	Expiring []string // queues whose messages may wait for so long

	Floors TimedFloors
}

// TimedFloors is how many messages have to have been seen.
type TimedFloors struct {
	Later   int64 // handed out that had to wait
	InTime  int64 // handed out that could expire
	Expired int64 // dead letters of those
}

const (
	// wallSlack is the coarseness of wall clocks, and what their setting by a
	// time service may be off.
	wallSlack = 100 * time.Millisecond
	// wallSkew is what the cluster's wall clock may be off while a node's is set
	// wrong: the nodes go by the most of them, to two seconds.
	wallSkew = 2500 * time.Millisecond
	// skewFault is in the names of faults that set clocks wrong.
	skewFault = "clock"
)

func (t Timed) Name() string { return "timed" }

// Check is linear in the operations but for sorting.
func (t Timed) Check(run *history.Run) Verdict {
	v := NewVerdict(t.Name(), t.Workload)
	slack := int64(wallSlack)
	for _, f := range run.Faults {
		if strings.Contains(f.Name, skewFault) {
			slack = int64(wallSkew)
		}
	}
	later := int64(0)
	for _, m := range newLedger(run, t.Workload, t.Later).messages {
		if p := m.publish; p != nil && p.Value > 0 && m.delivered() {
			later++
			if d := first(m); d.Call < due(p)-slack {
				v.Add(KindTooSoon, d.Call, "due %.3fs: %s", float64(due(p))/1e9, d)
			}
		}
	}
	v.Saw("later", later, t.Floors.Later)
	t.expiring(v, run, slack)
	return v.Done()
}

// due is the least moment at which a message's time is over.
func due(p *history.Op) int64 { return p.Call + int64(p.Value)*int64(time.Millisecond) }

// expiring judges what has a time to live. A message was granted later than
// every one with a lower token was published: an old lease that is seen late
// is none that was given late.
func (t Timed) expiring(v *Verdict, run *history.Run, slack int64) {
	grants := newGrants(run)
	inTime, expired := int64(0), int64(0)
	for _, m := range newLedger(run, t.Workload, t.Expiring).messages {
		p := m.publish
		if p == nil || p.Value == 0 {
			continue
		}
		if len(m.source.deliveries) > 0 {
			inTime++
		}
		for _, d := range m.source.deliveries {
			if over := due(p) - p.Call; p.Outcome == history.OK && grants.earliest(d) > p.Return+over+slack {
				v.Add(KindTooLate, d.Call, "its time was over at %.3fs, and it was granted after %.3fs: %s",
					float64(p.Return+over)/1e9, float64(grants.earliest(d))/1e9, d)
			}
		}
		for _, d := range m.dead.deliveries {
			if d.Dead != "expired" {
				continue
			}
			expired++
			if d.Call < due(p)-slack {
				v.Add(KindTooSoon, d.Call, "its time is over at %.3fs: %s", float64(due(p))/1e9, d)
			}
		}
	}
	v.Saw("in time", inTime, t.Floors.InTime)
	v.Saw("expired", expired, t.Floors.Expired)
}
