package check

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Crashed is what the end of a client says that crashed.
const Crashed = "crashed"

// Poison judges a queue with messages that crash whoever works on them, others
// being prefetched beside: in the end those are dead letters, and no other is.
// One crash may be blamed on another message. What kills it has to be a fault
// that kept its holder away.
type Poison struct {
	Workload string
	Queue    string
	Poison   func(history.Key) bool
	Grace    time.Duration // of a session that lost its connection; 0: 5 s

	Floors PoisonFloors
}

// PoisonFloors is how many messages have to have been confirmed.
type PoisonFloors struct{ Poison, Bystanders int64 }

func (p Poison) Name() string { return "poison" }

// Check is linear in the operations but for sorting.
func (p Poison) Check(run *history.Run) Verdict {
	v := NewVerdict(p.Name(), p.Workload)
	l := newLedger(run, p.Workload, []string{p.Queue})
	x := &crashes{leases: newLeases(l, 0, p.Grace), at: map[uint32]int64{}}
	for _, o := range l.ops {
		if o.Kind == history.Gone && o.Error == Crashed {
			x.at[o.Client] = o.Call
		}
	}
	poison, bystanders := int64(0), int64(0)
	for _, m := range l.messages {
		if m.publish == nil || m.publish.Outcome != history.OK {
			continue
		}
		dead := len(m.dead.deliveries) > 0
		if p.Poison(m.key) {
			poison++
			if !dead && run.Drained != 0 {
				v.Add(KindLost, m.publish.Call, "poison, and no dead letter: %s", m.publish)
			}
			continue
		}
		bystanders++
		if dead {
			p.bystander(v, x, m)
		}
	}
	v.Saw("poison", poison, p.Floors.Poison)
	v.Saw("bystanders", bystanders, p.Floors.Bystanders)
	return v.Done()
}

// crashes are the clients that crashed, and when.
type crashes struct {
	*leases
	at map[uint32]int64
}

// bystander judges the death of a message that is no poison.
func (p Poison) bystander(v *Verdict, x *crashes, m *message) {
	d := m.dead.deliveries[0]
	from, blamed := m.publish.Call, 0
	for i, s := range m.source.deliveries {
		if i == 0 {
			from = x.grants.earliest(s)
		}
		if at, crashed := x.at[s.Client]; crashed && s.Call <= at {
			blamed++
		}
	}
	if blamed <= 1 && x.kept(from, d.Call) {
		v.Notes["kept away by a fault"]++
		return
	}
	v.Add(KindBystander, d.Call, "in the hands of %d that crashed: %s", blamed, d)
}
