//go:build linux

package jepsen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/report"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// The core workloads meet every nemesis first, and then the others those that
// tell most; the rest comes last. Only a session with time for them gets there.
func TestPlans(t *testing.T) {
	o := Options{Binary: "ferry", Dir: "report", Seed: 7, Rounds: 2}.withDefaults()
	require.NoError(t, o.Validate())
	met := map[workload.Set]map[string]int{workload.SetCore: {}, workload.SetFeatures: {}}
	spare, rest := 0, 0
	for i, p := range o.plans() {
		require.Equal(t, i+1, p.number)
		require.Equal(t, o.Seed+uint64(i), p.seed)
		require.False(t, spare > 0 && !p.spare, "%s comes behind what may be left out", p.name())
		require.Equal(t, p.set != workload.SetCore, p.spare, p.name())
		require.False(t, rest > 0 && p.nemesis.telling, "%s comes behind what tells less", p.name())
		if met[p.set][p.nemesis.name]++; p.spare {
			spare++
			if !p.nemesis.telling {
				rest++
			}
		}
	}
	for _, set := range workload.Sets() {
		if len(set.Workloads()) == 0 {
			continue
		}
		require.Len(t, met[set], len(NemesisNames()), set)
		for name, n := range met[set] {
			require.Equal(t, 2, n, "%s with %s", name, set)
		}
	}
}

// What a session is told to carry is all that it needs to come to.
func TestPlansOfOneSet(t *testing.T) {
	o := Options{Binary: "ferry", Dir: "report", Set: "core", Workloads: []string{"fifo"}}.withDefaults()
	require.NoError(t, o.Validate())
	all := o.plans()
	require.Len(t, all, len(NemesisNames()))
	for _, p := range all {
		require.False(t, p.spare)
		require.Equal(t, p.nemesis.name, p.name())
		loads := o.loads(p.set)
		require.Len(t, loads, 1)
		require.Equal(t, "fifo", loads[0].Name())
	}

	o.Set, o.Workloads = Both, []string{"fifo"}
	require.Len(t, o.plans(), len(all), "no run is without a workload")
}

// A report says what makes its run again, and nothing but it.
func TestReportMakesItsPlanAgain(t *testing.T) {
	for _, set := range workload.Sets() {
		s := session{o: Options{Binary: "ferry", Dir: "report", Seed: 7, Rate: 50}.withDefaults()}
		n, _ := nemesisOf("kill-all")
		p := plan{number: 1, nemesis: n, set: set, seed: 9}
		again, err := optionsOf(report.Data{Options: s.kept(p)})
		require.NoError(t, err)
		again.Binary, again.Dir = "ferry", "again"
		require.NoError(t, again.Validate())
		require.Equal(t, s.o.of(p).Time, again.Time)
		require.Equal(t, 50.0, again.Rate)
		all := again.withDefaults().plans()
		if len(set.Workloads()) == 0 {
			require.Empty(t, all)
			continue
		}
		require.Len(t, all, 1)
		require.Equal(t, p.name(), all[0].name())
		require.Equal(t, p.seed, all[0].seed)
	}
	old, err := optionsOf(report.Data{Options: map[string]string{"nemesis": "none", "seed": "1", "time": "6s", "rate": "1", "nodes": "0"}})
	require.NoError(t, err)
	require.Equal(t, string(workload.SetCore), old.Set, "of before there were others")
}

func TestOptionsOfSets(t *testing.T) {
	o := Options{Binary: "ferry", Dir: "report", Set: "some", Time: timeMin - 1}
	require.ErrorContains(t, o.Validate(), `no set of workloads is called "some"`)
	require.ErrorContains(t, o.Validate(), "the time of a run")
	o = Options{Binary: "ferry", Dir: "report", Set: "features", Workloads: []string{"fifo"}}
	require.ErrorContains(t, o.Validate(), `workload "fifo" is not in the set "features"`)
	for _, set := range workload.Sets() {
		require.GreaterOrEqual(t, Options{}.of(plan{set: set}).Time, timeMin)
	}
	require.Equal(t, timeMin, Options{Time: timeMin}.of(plan{set: workload.SetCore}).Time)
}
