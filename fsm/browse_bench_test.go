package fsm

import (
	"testing"
	"time"
)

// BenchmarkBrowse takes pages of a queue with many groups, whose messages lie
// as far apart as can be, from its beginning, its middle and its end, and
// reports the longest time that one took: so long the state is locked. Of each
// it takes the best of five. Run it with -benchtime 1x.
func BenchmarkBrowse(b *testing.B) {
	for _, c := range []struct {
		name          string
		groups, depth int
	}{{"most-groups", MaxGroups, 2}, {"deep-groups", 10_000, chunkMax + 1}} {
		b.Run(c.name, func(b *testing.B) {
			x := newBench(b, 8, false)
			for range c.depth {
				x.groups(b, c.groups)
			}
			last := uint64(c.groups * c.depth)
			for _, q := range []struct {
				name  string
				query BrowseQuery
			}{
				{"one", BrowseQuery{Limit: 1}},
				{"thousand", BrowseQuery{Limit: 1000}},
				{"none", BrowseQuery{Limit: 1000, States: StatesOf(Parked)}},
			} {
				b.Run(q.name, func(b *testing.B) {
					var longest time.Duration
					for range b.N {
						for _, after := range []uint64{0, last / 2, last / 4 * 3, last - 15_000} {
							q.query.After = after
							best := time.Hour
							for range 5 {
								start := time.Now()
								x.s.Browse("q", q.query)
								best = min(best, time.Since(start))
							}
							longest = max(longest, best)
						}
					}
					b.ReportMetric(float64(longest.Microseconds())/1000, "ms/page")
				})
			}
		})
	}
}
