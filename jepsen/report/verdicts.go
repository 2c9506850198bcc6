package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	// verdictsMax is how many verdicts are spelled out, the bad ones first.
	verdictsMax = 120
	// problemsMax is how many problems of one verdict are shown, and
	// problemsAllMax of all.
	problemsMax    = 60
	problemsAllMax = 600
	problemTextMax = 500
	// columnsMax bounds the table of verdicts in both directions.
	columnsMax = 40
	countsMax  = 16
)

// matrix is the table of verdicts: a row for each workload.
type matrix struct {
	Checkers []string
	Rows     []matrixRow
}

type matrixRow struct {
	Workload string
	Cells    []matrixCell
}

// matrixCell is empty where the checker has no verdict on the workload.
type matrixCell struct {
	Result check.Result
	Card   string // the anchor
	Title  string
	Count  string
}

func matrixOf(verdicts []check.Verdict) matrix {
	var m matrix
	at := map[string]int{}
	for i, v := range verdicts {
		column := slices.Index(m.Checkers, v.Checker)
		if column < 0 {
			if len(m.Checkers) == columnsMax {
				continue
			}
			column = len(m.Checkers)
			m.Checkers = append(m.Checkers, v.Checker)
		}
		row, known := at[v.Workload]
		if !known {
			if len(m.Rows) == columnsMax {
				continue
			}
			row = len(m.Rows)
			at[v.Workload] = row
			m.Rows = append(m.Rows, matrixRow{Workload: clip(cmp.Or(v.Workload, wholeRun), nameMax)})
		}
		cells := append(m.Rows[row].Cells, make([]matrixCell, max(0, column+1-len(m.Rows[row].Cells)))...)
		cells[column] = matrixCell{Result: v.Result, Card: anchor(i), Title: titleOf(v), Count: briefly(v)}
		m.Rows[row].Cells = cells
	}
	for i := range m.Checkers {
		m.Checkers[i] = clip(m.Checkers[i], nameMax)
	}
	for i := range m.Rows {
		m.Rows[i].Cells = append(m.Rows[i].Cells, make([]matrixCell, len(m.Checkers)-len(m.Rows[i].Cells))...)
	}
	return m
}

func anchor(verdict int) string { return fmt.Sprintf("verdict-%d", verdict) }

func titleOf(v check.Verdict) string {
	return clip(fmt.Sprintf("%s of %s: %s", v.Checker, cmp.Or(v.Workload, wholeRun), v.Result), textMax)
}

// briefly is what a cell says: the problems, or how much was checked.
func briefly(v check.Verdict) string {
	if n := problemsOf(v); n > 0 {
		return thousands(n) + " found"
	}
	if v.Result == check.Undecided {
		return "undecided"
	}
	if len(v.Checked) == 0 {
		return ""
	}
	return thousands(v.Checked[0].Seen)
}

func problemsOf(v check.Verdict) (n int64) {
	for _, found := range v.Found {
		n += found
	}
	return n
}

// card is one verdict in full.
type card struct {
	Anchor, Checker, Workload string
	Result                    check.Result
	Counts                    []count
	Found, Notes              []named
	Problems                  []problem
	More                      int64 // problems that are not spelled out
	Picture                   string
}

type count struct {
	Name, Seen, Floor string
	Low               bool
}

type named struct{ Name, Count string }

type problem struct {
	Kind, Text string
	At         int64  // µs, 0 for no moment
	Moment     string // "12.345 s"
}

// cardsOf puts what is not valid before what is.
func cardsOf(verdicts []check.Verdict) (cards []card, left int) {
	order := make([]int, len(verdicts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(severity(verdicts[x].Result), severity(verdicts[y].Result))
	})
	room := problemsAllMax
	for _, i := range order[:min(len(order), verdictsMax)] {
		c := cardOf(verdicts[i], i, &room)
		cards = append(cards, c)
	}
	return cards, len(order) - len(cards)
}

func severity(r check.Result) int {
	switch r {
	case check.Invalid:
		return 0
	case check.Undecided:
		return 1
	}
	return 2
}

func cardOf(v check.Verdict, i int, room *int) card {
	c := card{
		Anchor: anchor(i), Checker: clip(v.Checker, nameMax), Workload: clip(cmp.Or(v.Workload, wholeRun), nameMax),
		Result: v.Result, Found: namedOf(v.Found), Notes: namedOf(v.Notes),
	}
	for _, n := range v.Checked[:min(len(v.Checked), countsMax)] {
		c.Counts = append(c.Counts, count{
			Name: clip(n.Name, nameMax), Seen: thousands(n.Seen), Floor: thousands(n.Floor), Low: n.Seen < n.Floor,
		})
	}
	for _, p := range v.Problems[:min(len(v.Problems), problemsMax, *room)] {
		shown := problem{Kind: clip(p.Kind, nameMax), Text: clip(p.Text, problemTextMax)}
		if p.At > 0 {
			shown.At, shown.Moment = micros(p.At), seconds(p.At)
		}
		c.Problems = append(c.Problems, shown)
		*room--
	}
	c.More = max(0, problemsOf(v)-int64(len(c.Problems)))
	if v.Picture != "" {
		c.Picture = pictureName(i)
	}
	return c
}

func namedOf(counts map[string]int64) []named {
	var all []named
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if len(all) < countsMax {
			all = append(all, named{Name: clip(name, nameMax), Count: thousands(counts[name])})
		}
	}
	return all
}
