package sim

import (
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/jepsen/sim/network"
)

// draw is what a seed decides before a run begins.
type draw struct {
	seed  uint64
	nodes int
	calm  network.Rule  // of every link while nothing is wrong
	fsync time.Duration // of every disk
	group cluster.GroupOptions
	rate  float64 // messages a second
	kinds []fault // what may happen
	rand  *rand.Rand
}

// fiveNodes is the share of seeds with five nodes: a ring needs as many.
const fiveNodes = 0.25

// newDraw draws. A run has a few kinds of faults, not all: what a swarm of runs
// leaves out lets the rest get further.
func newDraw(seed uint64) *draw {
	r := rand.New(rand.NewPCG(seed, 0x64726177))
	d := &draw{seed: seed, nodes: 3, rand: r}
	if r.Float64() < fiveNodes {
		d.nodes = 5
	}
	d.calm = network.Rule{Delay: between(r, 50*time.Microsecond, 3*time.Millisecond)}
	d.calm.Jitter = time.Duration(r.Float64() * float64(d.calm.Delay))
	d.fsync = between(r, 100*time.Microsecond, 4*time.Millisecond)
	d.group = cluster.GroupOptions{SnapshotBytes: 16 << (10 + r.IntN(6)), TrailingBytes: 16 << (10 + r.IntN(5))}
	d.rate = 12 + 12*r.Float64()
	for _, f := range faults {
		if f.nodes <= d.nodes {
			d.kinds = append(d.kinds, f)
		}
	}
	r.Shuffle(len(d.kinds), func(i, k int) { d.kinds[i], d.kinds[k] = d.kinds[k], d.kinds[i] })
	d.kinds = d.kinds[:4+r.IntN(len(d.kinds)-4)]
	return d
}

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}
