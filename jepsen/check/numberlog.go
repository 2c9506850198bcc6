package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// The clerk's half of the committed log.

// numbered names an operation as the log does.
type numbered struct {
	session string
	number  uint64
}

// log counts the copies of operations in the committed log, and has no more
// than one of each take effect, as far as ids and places tell.
func (c *clerk) log() (copies int64) {
	if len(c.run.Log) == 0 {
		return 0
	}
	effects := c.effects()
	entries := slices.Clone(c.run.Log)
	slices.SortFunc(entries, func(a, b history.Entry) int { return cmp.Compare(a.Index, b.Index) })
	seen, applied := map[numbered]uint64{}, map[numbered]uint64{}
	for i := range entries {
		e := &entries[i]
		if e.Void {
			continue
		}
		for j := range e.Commands {
			x := &e.Commands[j]
			if x.Number == 0 || x.Kind != "publish" && x.Kind != "settle" {
				continue
			}
			k := numbered{x.Session, x.Number}
			if seen[k] != 0 && seen[k] != e.Index {
				copies++
			}
			seen[k] = e.Index
			o := c.took(x, e.Index, effects)
			if o == nil {
				continue
			}
			if at := applied[k]; at != 0 && at != e.Index {
				c.v.Add(KindAppliedTwice, o.Call, "number %d of session %s took effect at %d and at %d: %s",
					x.Number, x.Session, at, e.Index, o)
			}
			applied[k] = e.Index
		}
	}
	return copies
}

// effect is what can be seen of a command: a message that stands at an index,
// or a lease that was settled there.
type effect struct {
	index uint64
	key   history.Key
	token uint64
}

// effects are the visible ones of this workload.
func (c *clerk) effects() map[effect]*history.Op {
	all := map[effect]*history.Op{}
	for key, places := range c.stored {
		for _, x := range places {
			all[effect{index: x.id.Index, key: key}] = x.by
		}
	}
	for _, o := range c.ops {
		if settles(o) && o.Outcome == history.OK && o.At.Index != 0 {
			all[effect{index: o.At.Index, token: o.Token}] = o
		}
	}
	return all
}

// took gives something that a command brought about at an index, nil if
// nothing was seen of it.
func (c *clerk) took(x *history.Command, index uint64, effects map[effect]*history.Op) *history.Op {
	for _, body := range x.Bodies {
		key, err := history.ParseKey([]byte(body))
		if err != nil {
			continue // another workload's, without keys
		}
		if o := effects[effect{index: index, key: key}]; o != nil {
			return o
		}
	}
	for _, item := range x.Items {
		if o := effects[effect{index: index, token: item.Token}]; o != nil {
			return o
		}
	}
	return nil
}
