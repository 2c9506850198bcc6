package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

//go:embed assets
var assets embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"thousands": thousands,
	"percent":   func(part float64) string { return fmt.Sprintf("%.2f", 100*part) },
	"width":     func(from, to float64) string { return fmt.Sprintf("%.2f", max(0.8, 100*(to-from))) },
	"moment":    func(micros int64) string { return seconds(micros * 1000) },
	"style": func() (template.CSS, error) {
		text, err := assets.ReadFile("assets/style.css")
		return template.CSS(text), err
	},
	"script": func() (template.JS, error) {
		text, err := assets.ReadFile("assets/page.js")
		return template.JS(text), err
	},
}).ParseFS(assets, "assets/*.html"))

// page is what the template is given. Everything in it is bounded.
type page struct {
	Title, Subtitle, Version string
	OK                       bool
	Headline                 string
	Tiles                    []tile
	Matrix                   matrix
	Cards                    []card
	CardsLeft                int
	Tallies                  []tally
	Faults                   []band
	Options                  []named
	Logs                     []string
	Remarks                  []string
	Chart                    chart
}

// tile is one figure at the top.
type tile struct {
	Name, Value, More string
	Bad               bool
}

// chart is what the script draws. Times are microseconds.
type chart struct {
	End       int64    `json:"end"`
	Bucket    int64    `json:"bucket"`
	Buckets   int      `json:"buckets"`
	Workloads []series `json:"workloads"`
	Bands     []band   `json:"bands"`
	Strips    []strip  `json:"strips"`
	Marks     []mark   `json:"marks"`
	Moments   []moment `json:"moments"`
}

type moment struct {
	Name string `json:"name"`
	At   int64  `json:"at"`
}

// drawPage writes the page of a run; logs are the names of those in the folder.
func drawPage(path string, d Data, logs []string) error {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, "page.html", pageOf(d, logs)); err != nil {
		return fmt.Errorf("draw %s: %w", path, err)
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

func pageOf(d Data, logs []string) page {
	a, n := axisOf(d.Run), namesOf(d.Run.Ops)
	all, each := talliesOf(d.Run.Ops, n)
	s := Summarize(".", d)
	p := page{
		Title: clip(d.Run.Nemesis, nameMax), Version: clip(d.Version, nameMax), Subtitle: subtitleOf(d.Run, a),
		OK: s.OK(), Headline: headlineOf(s, d.Verdicts), Tiles: tilesOf(d.Run, s, all),
		Matrix: matrixOf(d.Verdicts), Tallies: each, Faults: bandsOf(d.Run.Faults, a), Options: optionsOf(d.Options), Logs: logs,
	}
	p.Cards, p.CardsLeft = cardsOf(d.Verdicts)
	p.Chart, p.Remarks = chartOf(d.Run, a, n)
	return p
}

// chartOf also says what the chart was drawn from, and what it leaves out.
func chartOf(run *history.Run, a axis, n *names) (chart, []string) {
	marks, operations, places := marksOf(run.Ops, a, n)
	strips, short := stripsOf(run, a)
	c := chart{
		End: micros(a.end), Bucket: micros(a.width), Buckets: a.buckets, Workloads: seriesOf(run.Ops, a, n),
		Bands: bandsOf(run.Faults, a), Strips: strips, Marks: marks, Moments: momentsOf(run, a),
	}
	remarks := []string{fmt.Sprintf("Drawn from %s operations and %s probes, in buckets of %s.",
		thousands(int64(len(run.Ops))), thousands(int64(len(run.Probes))), span(time.Duration(a.width)))}
	if operations > 0 {
		remark := fmt.Sprintf("%s operations failed or have an unknown outcome; those close to one another share one of %s marks",
			thousands(int64(operations)), thousands(int64(places)))
		if len(marks) < places {
			remark += fmt.Sprintf(", of which every %.1fth is shown", float64(places)/float64(len(marks)))
		}
		remarks = append(remarks, remark+".")
	}
	if short > 0 {
		remarks = append(remarks, fmt.Sprintf("%s changes of a node within %s of the one before are left out.",
			thousands(int64(short)), span(time.Duration(a.end/stretchSlots))))
	}
	if left := len(run.Faults) - len(c.Bands); left > 0 {
		remarks = append(remarks, fmt.Sprintf("%d of %d faults are left out.", left, len(run.Faults)))
	}
	if left := len(run.Nodes) - len(strips); left > 0 {
		remarks = append(remarks, fmt.Sprintf("%d nodes are left out.", left))
	}
	return c, remarks
}

func momentsOf(run *history.Run, a axis) []moment {
	moments := []moment{}
	for _, m := range []moment{{"healed", run.Healed}, {"stopped", run.Stopped}, {"drained", run.Drained}} {
		if m.At > 0 {
			moments = append(moments, moment{Name: m.Name, At: micros(a.clamp(m.At))})
		}
	}
	return moments
}

func subtitleOf(run *history.Run, a axis) string {
	return fmt.Sprintf("seed %d · %d nodes · %s · %s", run.Seed, len(run.Nodes), span(time.Duration(a.end)),
		run.Began.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func headlineOf(s Summary, verdicts []check.Verdict) string {
	bad := 0
	for _, v := range verdicts {
		if v.Result != check.Valid {
			bad++
		}
	}
	switch {
	case len(verdicts) == 0:
		return "Nothing was judged"
	case bad > 0:
		return fmt.Sprintf("%d of %d verdicts are not valid", bad, len(verdicts))
	case !s.Bitten:
		return "Valid, but a fault was not seen to bite"
	}
	return fmt.Sprintf("All %d verdicts are valid", len(verdicts))
}

func tilesOf(run *history.Run, s Summary, all tally) []tile {
	gap, from := gapOf(run.Ops)
	first, last := termsOf(run.Probes)
	bad := func(n int64) bool { return n > 0 }
	return []tile{
		{Name: "confirmed", Value: thousands(all.Confirmed), More: "of " + thousands(all.Published) + " published"},
		{Name: "delivered", Value: thousands(all.Delivered), More: thousands(all.Again) + " again, and flagged"},
		{Name: "lost", Value: thousands(s.Lost), More: fmt.Sprintf("%s unexpected, %s ghost", thousands(s.Unexpected), thousands(s.Ghost)),
			Bad: bad(s.Lost + s.Unexpected + s.Ghost)},
		{Name: "unknown", Value: thousands(all.Unknown), More: thousands(all.Failed) + " failed"},
		{Name: "longest gap", Value: span(gap), More: "between confirms, from " + seconds(from)},
		{Name: "terms", Value: fmt.Sprintf("%d → %d", first, last), More: "told by the nodes"},
		{Name: "faults bit", Value: fmt.Sprintf("%d / %d", s.Bites, s.Faults), More: strings.Join(faultNames(run.Faults), ", "), Bad: !s.Bitten},
	}
}

func faultNames(faults []history.Fault) []string {
	var kinds []string
	for _, f := range faults {
		if name := clip(f.Name, nameMax); len(kinds) < 4 && !slices.Contains(kinds, name) {
			kinds = append(kinds, name)
		}
	}
	return kinds
}

// optionsMax is how many options the page lists.
const optionsMax = 100

func optionsOf(options map[string]string) []named {
	var all []named
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if len(all) < optionsMax {
			all = append(all, named{Name: clip(name, nameMax), Count: clip(options[name], textMax)})
		}
	}
	return all
}
