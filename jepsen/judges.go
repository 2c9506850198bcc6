//go:build linux

package jepsen

import (
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/witness"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// Floors of what is judged over a whole run of ten seconds at the default rate.
const (
	witnessed  = 40_000 // operations compared with the log
	handed     = 15_000 // deliveries compared with it
	replayed   = 2_000  // entries
	compared   = 10     // digests of two nodes at one index
	probed     = 5      // after the healing
	healed     = 2_000  // operations after the healing
	frozenSeen = 1_000  // operations in frozen faults, after they were given time

	// busier is how many times the operations of other workloads those of the
	// core are: many of the others wait for a clock, or do several things in one.
	busier = 4
)

// frozenFloor is for a nemesis whose faults leave a majority untouched.
func frozenFloor(n string) int64 {
	if x, _ := nemesisOf(n); x.frozen {
		return frozenSeen
	}
	return 0
}

// checkers of a run: those of its workloads, and those of the whole.
func checkers(nemesis string, set workload.Set, loads []workload.Workload, scale float64) []check.Checker {
	var all []check.Checker
	for _, w := range loads {
		all = append(all, w.Checkers(scale)...)
	}
	part := func(floor int64) int64 { return int64(float64(floor) * scale) }
	after, frozen := part(healed), part(frozenFloor(nemesis))
	if set.Witnessed() {
		all = append(all, witness.Checker{Operations: part(witnessed), Deliveries: part(handed), Indexes: part(replayed)})
	} else {
		after, frozen = after/busier, frozen/busier
	}
	return append(all,
		check.Digests{Floor: compared},
		check.Liveness{
			// A fault is given what an election and the clients' own time-outs take.
			Settle: frozenSettle,
			Except: []string{(*workload.Dedup)(nil).Name()},
			Floors: check.LivenessFloors{Probes: probed, Healed: after, Frozen: frozen},
		},
	)
}
