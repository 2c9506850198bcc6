package check

import (
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Digests judges that replicas are the same: at one index of the log, all have
// one digest, whenever they were asked.
type Digests struct {
	Floor int64 // pairs of different nodes at one index
}

func (d Digests) Name() string { return "digests" }

// said is a digest that a node told of an index.
type said struct {
	digest, node string
	at           int64
}

// Check is linear in the probes, however many there are of one index.
func (d Digests) Check(run *history.Run) Verdict {
	v := NewVerdict(d.Name(), "")
	byIndex := map[uint64][]said{}
	for _, p := range run.Probes {
		if p.Digest != "" && p.Error == "" {
			byIndex[p.Applied] = append(byIndex[p.Applied], said{p.Digest, p.Node, p.At})
		}
	}
	for _, r := range run.Replicas {
		if r.Digest != "" {
			byIndex[r.Applied] = append(byIndex[r.Applied], said{r.Digest, r.Node, run.Ended})
		}
	}
	pairs := int64(0)
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		list := byIndex[index]
		pairs += crossPairs(list)
		for _, x := range list[1:] {
			if x.digest != list[0].digest {
				v.Add(KindDigest, x.at, "index %d: %s had %s at %.3fs, %s has %s", index,
					list[0].node, list[0].digest, float64(list[0].at)/1e9, x.node, x.digest)
			}
		}
	}
	v.Saw("indexes", int64(len(byIndex)), min(1, d.Floor))
	v.Saw("pairs", pairs, d.Floor)
	return v.Done()
}

// crossPairs counts the pairs of different nodes: a node that agrees with
// itself says little.
func crossPairs(list []said) int64 {
	all := int64(len(list))
	pairs := all * (all - 1) / 2
	perNode := map[string]int64{}
	for _, x := range list {
		perNode[x.node]++
	}
	for _, n := range perNode {
		pairs -= n * (n - 1) / 2
	}
	return pairs
}
