package report

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	nodesMax = 15
	// stretchSlots is how many changes of one node are drawn.
	stretchSlots = 300
)

// Roles of a node in the strip.
const (
	roleSilent   = "silent"   // it did not answer
	roleSearches = "searches" // it knows of no leader
	roleFollows  = "follows"
	roleLeads    = "leads"
)

// strip is what one node said of itself over time.
type strip struct {
	Node      string    `json:"node"`
	Stretches []stretch `json:"stretches"`
}

// stretch is a time in which a node said one thing.
type stretch struct {
	From   int64  `json:"from"` // µs
	To     int64  `json:"to"`
	Role   string `json:"role"`
	Leader string `json:"leader"`
	Term   uint64 `json:"term"`
}

// stripsOf also tells how many changes were too short to be drawn.
func stripsOf(run *history.Run, a axis) (strips []strip, short int) {
	of := map[string]int{}
	strips = []strip{}
	for _, node := range run.Nodes[:min(len(run.Nodes), nodesMax)] {
		if _, known := of[node]; !known {
			of[node] = len(strips)
			strips = append(strips, strip{Node: clip(node, nameMax), Stretches: []stretch{}})
		}
	}
	last := make([]int, len(strips)) // the slot in which the last stretch began
	for _, p := range sorted(run.Probes) {
		i, known := of[p.Node]
		if !known {
			continue
		}
		s := &strips[i]
		if at := micros(a.clamp(p.At)); s.add(p, at, a.slot(p.At, stretchSlots), &last[i]) {
			short++
		}
	}
	for i := range strips {
		if s := strips[i].Stretches; len(s) > 0 {
			s[len(s)-1].To = micros(a.end)
		}
	}
	return strips, short
}

// add continues the last stretch or begins a new one. In a slot that has one
// already the newer takes its place, and add tells so.
func (s *strip) add(p history.Probe, at int64, slot int, last *int) (replaced bool) {
	next := stretch{From: at, To: at, Role: roleOf(p), Leader: clip(p.Leader, nameMax), Term: p.Term}
	if len(s.Stretches) == 0 {
		s.Stretches, *last = append(s.Stretches, next), slot
		return false
	}
	prev := &s.Stretches[len(s.Stretches)-1]
	prev.To = at
	if prev.Role == next.Role && prev.Term == next.Term && prev.Leader == next.Leader {
		return false
	}
	if *last == slot {
		prev.Role, prev.Leader, prev.Term = next.Role, next.Leader, next.Term
		return true
	}
	s.Stretches, *last = append(s.Stretches, next), slot
	return false
}

func roleOf(p history.Probe) string {
	switch {
	case p.Error != "":
		return roleSilent
	case p.Leader == "":
		return roleSearches
	case p.Leader == p.Node:
		return roleLeads
	}
	return roleFollows
}

func sorted(probes []history.Probe) []history.Probe {
	byTime := func(x, y history.Probe) int {
		switch {
		case x.At < y.At:
			return -1
		case x.At > y.At:
			return 1
		}
		return 0
	}
	if slices.IsSortedFunc(probes, byTime) {
		return probes
	}
	probes = slices.Clone(probes)
	slices.SortStableFunc(probes, byTime)
	return probes
}
