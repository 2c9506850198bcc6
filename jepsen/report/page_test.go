package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

func render(t *testing.T, d Data) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, templates.ExecuteTemplate(&text, "page.html", pageOf(d, []string{"n1.log"})))
	return text.String()
}

// embedded is the chart as the script of a page finds it.
func embedded(t *testing.T, page string) (c chart) {
	t.Helper()
	_, text, found := strings.Cut(page, `<script type="application/json" id="data">`)
	require.True(t, found)
	text, _, found = strings.Cut(text, "</script>")
	require.True(t, found)
	require.NoError(t, json.Unmarshal([]byte(text), &c))
	return c
}

// outline is what a page consists of, without its figures.
func outline(page string) string {
	part := regexp.MustCompile(`<h[12]>[^<]*|<section[^>]*|<div class="(?:badge|tile)[^>]*|<a class="cell[^>]*? href="[^"]*"|` +
		`<details[^>]*|<thead>.*?</thead>|<th scope="row">[^<]*|<script[^>]*|data-at="\d+"|href="[^"#]*"`)
	return strings.Join(part.FindAllString(page, -1), "\n") + "\n"
}

// The outline is kept in testdata; REDRAW=1 writes it anew.
func TestOutline(t *testing.T) {
	got := outline(render(t, synthetic(1, 30_000)))
	golden := filepath.Join("testdata", "outline.golden")
	if os.Getenv("REDRAW") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestChart(t *testing.T) {
	d := synthetic(1, 30_000)
	page := render(t, d)
	c := embedded(t, page)
	require.Equal(t, int64(40e6), c.End)
	require.Equal(t, 200, c.Buckets)
	require.Len(t, c.Workloads, len(workloads))
	require.Equal(t, []moment{{"healed", 31e6}, {"stopped", 36e6}, {"drained", 37.5e6}}, c.Moments)
	require.Len(t, c.Bands, 4)
	require.Equal(t, band{
		Name: "kill leader", From: 10e6, To: 14e6, Nodes: "n1", Bites: "processes gone × 1", Bitten: true, Leader: true,
	}, c.Bands[0])
	require.False(t, c.Bands[3].Bitten)

	confirmed := int64(0)
	for _, w := range c.Workloads {
		for _, n := range w.Confirms {
			confirmed += int64(n)
		}
	}
	require.Equal(t, Summarize(".", d).Confirmed, confirmed, "each confirm is in a bucket")
	marks := 0
	for _, m := range c.Marks {
		marks += m.Count
		require.NotEqual(t, int(history.OK), m.Outcome)
	}
	failed := 0
	for _, o := range d.Run.Ops {
		if o.Outcome != history.OK {
			failed++
		}
	}
	require.Equal(t, failed, marks, "each operation without success has a mark")
	n1 := c.Strips[0].Stretches
	require.Equal(t, "n1", c.Strips[0].Node)
	require.Equal(t, stretch{From: 1e5, To: 10e6, Role: roleLeads, Leader: "n1", Term: 2}, n1[0])
	require.Equal(t, roleSilent, n1[1].Role)
	require.Equal(t, stretch{From: 20.9e6, To: 40e6, Role: roleFollows, Leader: "n2", Term: 5}, n1[len(n1)-1])
}

func TestLatencies(t *testing.T) {
	a := newAxis(int64(20 * time.Second))
	var ops []history.Op
	for i := int64(1); i <= 200; i++ {
		ops = append(ops, history.Op{Workload: "w", Kind: history.Publish, Call: 5e9, Return: 5e9 + i*1e6, Outcome: history.OK})
	}
	s := seriesOf(ops, a, namesOf(ops))
	q, b := s[0].Latency[sidePublish], a.bucket(5e9)
	require.Equal(t, []int64{100e3, 198e3, 200e3}, []int64{q.P50[b], q.P99[b], q.Max[b]})
	require.Equal(t, int64(-1), q.P50[b+1])
	require.Empty(t, s[0].Latency[sideSettle].P50)
	gap, from := gapOf(ops)
	require.Equal(t, time.Millisecond, gap)
	require.Equal(t, int64(5.001e9), from)
}

// A page holds what a run says as text, and nothing from outside.
func TestPageIsSafe(t *testing.T) {
	d := synthetic(1, 300)
	const evil = `</script><script>alert(1)</script><img onerror="alert(1)">`
	d.Run.Nemesis, d.Version, d.Run.Nodes[0], d.Run.Faults[0].Name = evil, evil, evil, evil
	d.Options[evil] = evil
	for i := range d.Run.Ops {
		d.Run.Ops[i].Workload, d.Run.Ops[i].Outcome, d.Run.Ops[i].Error = evil, history.Unknown, evil
	}
	v := check.NewVerdict(evil, evil)
	v.Add(evil, 1e9, "%s", evil)
	d.Verdicts = append(d.Verdicts, v.Done())
	page := render(t, d)
	require.NotContains(t, page, "<script>alert")
	require.NotContains(t, page, "<img")
	require.Equal(t, 2, strings.Count(page, "</script>"))
	require.NotRegexp(t, `(src|href)="?(//|[a-z]+:)|@import|url\([^#]`, page)
	require.Contains(t, page, "default-src 'none'")
	embedded(t, page)
}

// Whatever a run holds, its page stays small.
func TestPageIsBounded(t *testing.T) {
	d := synthetic(1, 3000)
	long := strings.Repeat("long ", 2000)
	times := []int64{math.MinInt64, -1, 0, 1, 40e9, math.MaxInt64}
	for i := range 100_000 {
		o := history.Op{
			Workload: long[i%500:], Queue: long, Kind: history.Publish, Call: times[i%6], Return: times[i/6%6],
			Outcome: history.Outcome(i % 4), Error: long,
		}
		d.Run.Ops = append(d.Run.Ops, o)
	}
	for i := range 5000 {
		d.Run.Nodes = append(d.Run.Nodes, long[i%100:])
		d.Run.Probes = append(d.Run.Probes, history.Probe{At: int64(i) * 1e9, Node: "n1", Leader: long, Term: uint64(i)})
		d.Run.Faults = append(d.Run.Faults, history.Fault{Name: long[i%50:], From: times[i%6], To: times[i/6%6], Nodes: d.Run.Nodes[:3]})
		v := check.NewVerdict(long[i%90:], long[i%70:])
		v.Add(long, times[i%6], "%s", long)
		v.Saw(long, 1, 2)
		d.Verdicts = append(d.Verdicts, v.Done())
		d.Options[long[i%999:]] = long
	}
	page := render(t, d)
	require.Less(t, len(page), pageBytesMax)
	c := embedded(t, page)
	require.LessOrEqual(t, c.Buckets, bucketsMax)
	require.Len(t, c.Workloads, workloadsMax)
	require.LessOrEqual(t, len(c.Marks), marksMax)
	for _, said := range []string{"faults are left out", "nodes are left out", "more verdicts are in verdicts.json"} {
		require.Contains(t, page, said)
	}
}

func TestAnEmptyRun(t *testing.T) {
	page := render(t, Data{Run: &history.Run{}})
	require.Contains(t, page, "Nothing was judged")
	c := embedded(t, page)
	require.Equal(t, int64(1e6), c.End)
	for _, list := range []any{c.Workloads, c.Bands, c.Strips, c.Marks, c.Moments} {
		require.NotNil(t, list, "the script walks it")
	}
	require.Error(t, Write(t.TempDir(), Data{}))
}
