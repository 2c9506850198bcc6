package workload

import "slices"

// Set is the workloads that share a run.
type Set string

// The sets. Everything that SetCore does is known to the model of package
// witness, which replays the log of its runs. The workloads of SetFeatures,
// each of which is about a part of the broker that the model leaves out, are
// judged by what their clients saw.
const (
	SetCore     Set = "core"
	SetFeatures Set = "features"
)

// Sets lists them, in the order in which a session takes them.
func Sets() []Set { return []Set{SetCore, SetFeatures} }

// Workloads makes one of each workload of the set.
func (s Set) Workloads() []Workload {
	switch s {
	case SetCore:
		return Core()
	case SetFeatures:
		return Features()
	}
	return nil
}

// Witnessed tells whether the log of a run with this set can be replayed.
func (s Set) Witnessed() bool { return s == SetCore }

// Core makes one of each workload of SetCore.
func Core() []Workload {
	return []Workload{&Work{}, &AtMostOnce{}, &FIFO{}, &Dedup{}, &Fencing{}, &Admin{}}
}

// Features makes one of each workload of SetFeatures.
func Features() []Workload {
	return []Workload{
		&Pipeline{}, &Retry{}, &Timed{}, &Groups{}, &Topic{}, &Request{}, &Window{}, &Limits{},
		&Exclusive{}, &Brakes{}, &Desk{}, &Ranks{},
	}
}

// All makes one of each workload.
func All() []Workload { return slices.Concat(Core(), Features()) }
