package report

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// green is a run in which everything was well.
func green(seed uint64, nemesis string) Data {
	d := synthetic(seed, 30_000)
	d.Run.Nemesis, d.Run.Faults = nemesis, d.Run.Faults[:3]
	for i, v := range d.Verdicts {
		again := check.NewVerdict(v.Checker, v.Workload)
		again.Checked = v.Checked
		d.Verdicts[i] = again.Done()
	}
	return d
}

func TestSummary(t *testing.T) {
	s := Summarize("a", green(1, "kill leader"))
	require.True(t, s.OK(), s.Failures())
	require.Len(t, s.Cells, len(workloads)+1)
	require.Equal(t, 3, s.Bites)
	require.Equal(t, 40*time.Second, s.Length)
	require.Greater(t, s.Gap, 800*time.Millisecond)
	require.Less(t, s.Gap, 1500*time.Millisecond)
	sum := int64(0)
	for _, n := range s.Confirms {
		sum += int64(n)
	}
	require.Equal(t, s.Confirmed, sum)

	bad := Summarize("b", synthetic(1, 30_000))
	require.Equal(t, int64(37), bad.Lost)
	require.Equal(t, []string{
		"a fault was not seen to bite: 3 of 4 were",
		"fifo is invalid: accounting: p3-812 was confirmed at 0-40211-0 and never delivered <b>&",
		"dedup is undecided: order: the log has a hole from 4012 to 4090",
	}, bad.Failures())
}

// A run is green only if it was judged and did what its nemesis promised.
func TestNothingIsNotGreen(t *testing.T) {
	d := green(1, "kill leader")
	d.Run.Faults = nil
	require.Equal(t, []string{"no fault was made"}, Summarize(".", d).Failures())
	d.Run.Nemesis = Calm
	require.Empty(t, Summarize(".", d).Failures())
	d.Verdicts = nil
	require.Equal(t, []string{"nothing was judged"}, Summarize(".", d).Failures())
	require.Equal(t, []string{"no node started"}, Summary{Nemesis: "kill one", Error: "no node started"}.Failures())
	require.False(t, Sum(nil).OK())
	require.Equal(t, "jepsen: cells=0 bitten=0 confirmed=0 lost=0 unexpected=0 ghost=0 FAILED: no run", Sum(nil).String())
}

func TestTotals(t *testing.T) {
	calm := green(2, Calm)
	calm.Run.Faults = []history.Fault{}
	runs := []Summary{{Nemesis: "a", Confirmed: 7, Bitten: true, Faults: 1, Cells: []Cell{{Workload: "w", Result: check.Valid}, {Result: check.Valid}}}}
	require.Equal(t, "jepsen: cells=1 bitten=1 confirmed=7 lost=0 unexpected=0 ghost=0 ok", Sum(runs).String())
	runs = append(runs, Summarize("calm", calm))
	require.Equal(t, 1+len(workloads), Sum(runs).Cells)
	require.Equal(t, 1, Sum(runs).Bitten, "a run without faults was not bitten")
	require.True(t, Sum(runs).OK())
	runs = append(runs, Summary{Nemesis: "halves", Error: "no leader", Lost: 2})
	require.Regexp(t, `lost=2 .* FAILED: halves$`, Sum(runs).String())
}

func TestIndex(t *testing.T) {
	dir := t.TempDir()
	runs := []Summary{Summarize("00-kill", green(1, "kill leader")), Summarize("01-bad", synthetic(3, 3000)), {Nemesis: "disk full", Error: "no node started"}}
	require.NoError(t, WriteIndex(dir, runs))
	got, err := ReadIndex(dir)
	require.NoError(t, err)
	require.Equal(t, runs, got)

	text, err := os.ReadFile(filepath.Join(dir, "index.html"))
	require.NoError(t, err)
	page := string(text)
	for _, want := range []string{
		"2 of 3 runs are not green", `href="00-kill/index.html"`, `href="01-bad/index.html"`, "no node started",
		`class="cell valid"`, `class="cell invalid"`, `class="cell undecided"`, "FAILED: kill leader, disk full",
	} {
		require.Contains(t, page, want)
	}
	require.NotRegexp(t, `(src|href)="?(//|[a-z]+:)|@import|url\(|<script`, page)
	require.Less(t, len(page), 100<<10)

	again := Summarize("01-bad", green(3, "kill leader"))
	require.NoError(t, Judged(got, again))
	require.True(t, got[1].OK())
	require.Error(t, Judged(got, Summary{Dir: "elsewhere"}))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "session.json"), []byte(`[{"dir":"../../etc"}]`), 0o644))
	_, err = ReadIndex(dir)
	require.ErrorContains(t, err, "outside")
}
