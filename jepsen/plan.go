//go:build linux

package jepsen

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// plan is what one run of a session is.
type plan struct {
	number  int // from 1
	nemesis nemesis
	set     workload.Set
	seed    uint64
	spare   bool // a session that has no time left may leave it out
}

// name of the run among those of its session.
func (p plan) name() string {
	if p.set == workload.SetCore {
		return p.nemesis.name
	}
	return p.nemesis.name + "-" + string(p.set)
}

// plans are the runs of a session. Each nemesis meets each set. Every one has
// to meet the core; after that they meet the features, those that tell most
// first, for as long as there is time.
func (o Options) plans() []plan {
	var all, telling, spare []plan
	for range o.Rounds {
		for _, name := range o.Nemeses {
			n, _ := nemesisOf(name) // Validate knows them all
			for _, set := range o.sets() {
				p := plan{nemesis: n, set: set, spare: o.Set == Both && set != workload.SetCore}
				switch {
				case len(o.loads(set)) == 0: // all its workloads are left out
				case p.spare && n.telling:
					telling = append(telling, p)
				case p.spare:
					spare = append(spare, p)
				default:
					all = append(all, p)
				}
			}
		}
	}
	all = slices.Concat(all, telling, spare)
	for i := range all {
		all[i].number, all[i].seed = i+1, o.Seed+uint64(i)
	}
	return all
}

// loads are fresh workloads of a set: each is for one run.
func (o Options) loads(set workload.Set) []workload.Workload {
	return slices.DeleteFunc(set.Workloads(), func(w workload.Workload) bool {
		return !slices.Contains(o.Workloads, w.Name())
	})
}
