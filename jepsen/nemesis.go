//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// nemesis is one way of hurting a cluster. It is at work for the time of the
// run, and lifts what it did, or leaves that to the healing.
type nemesis struct {
	name string
	// nodes the cluster has to have; 0: three.
	nodes int
	// frozen: its faults stay, and leave a majority untouched all the time,
	// which has to serve after frozenSettle.
	frozen bool
	// telling: a session makes runs under it with every set of workloads, also
	// when it has no time for all.
	telling bool
	// does makes the faults, one after another, until ctx ends.
	does func(ctx context.Context, a *arena) error
}

// nemeses are all of them, in the order in which a session runs them.
var nemeses = slices.Concat(processNemeses, networkNemeses, diskNemeses, clockNemeses)

// frozenSettle is what a fault that stays is given before the others have to
// serve as if nothing were.
const frozenSettle = 3 * time.Second

// calm is the absence of faults. It belongs to no session that does not name it.
var calm = nemesis{name: "none", telling: true, does: func(ctx context.Context, _ *arena) error {
	<-ctx.Done()
	return nil
}}

// NemesisNames lists the nemeses of a session that names none.
func NemesisNames() []string {
	var names []string
	for _, n := range nemeses {
		names = append(names, n.name)
	}
	return names
}

func nemesisOf(name string) (nemesis, bool) {
	if name == calm.name {
		return calm, true
	}
	i := slices.IndexFunc(nemeses, func(n nemesis) bool { return n.name == name })
	if i < 0 {
		return nemesis{}, false
	}
	return nemeses[i], true
}

// fault is one that is at work. It is ended once.
type fault struct {
	a       *arena
	f       history.Fault
	observe []func() history.Bite
}

// begin notes a fault that hits the machines, from now on. Each observer is
// asked at its end what the fault did.
func (a *arena) begin(name string, hit []*machine, observe ...func() history.Bite) *fault {
	f := &fault{a: a, observe: observe, f: history.Fault{Name: name, From: a.rec.Now(), Frozen: a.nemesis.frozen}}
	for _, m := range hit {
		f.f.Nodes = append(f.f.Nodes, m.Name)
		f.f.Leader = f.f.Leader || m.Name == a.lastLeader
	}
	a.tell("%s on %v", name, f.f.Nodes)
	return f
}

// end notes that the fault is lifted, and what it was seen to do.
func (f *fault) end(bites ...history.Bite) {
	f.f.To = f.a.rec.Now()
	for _, o := range f.observe {
		bites = append(bites, o())
	}
	f.f.Bites = bites
	f.a.faults = append(f.a.faults, f.f)
	f.a.tell("%s lifted: %v", f.f.Name, bites)
}

// wait lets time pass, and tells whether there is any left.
func (a *arena) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// until waits for a condition.
func (a *arena) until(ctx context.Context, what string, met func() bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// between is a random time.
func (a *arena) between(least, most time.Duration) time.Duration {
	return least + time.Duration(a.rand.Int64N(int64(most-least)+1))
}

// each goes on with faults until the time is over; a fault that has begun is
// carried through. It ends with at least least faults made.
func (a *arena) each(ctx context.Context, least int, one func(i int) error) error {
	for i := 0; ctx.Err() == nil || i < least; i++ {
		if err := one(i); err != nil {
			return err
		}
		a.wait(ctx, a.between(300*time.Millisecond, 900*time.Millisecond))
	}
	return nil
}
