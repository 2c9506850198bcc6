package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// ProducerOrder judges a queue's order with what the broker tells: a
// producer's messages have ids, and are leased for the first time, in the order
// of its publishes, where one had returned before the next was called. Tokens
// rise with leases, so several consumers do not matter.
type ProducerOrder struct {
	Workload string
	Queues   []string // none: all that the workload names

	// InOrder: each producer publishes by rising Seq on one connection, and
	// the order holds also of publishes that overlap.
	InOrder bool

	Floors OrderFloors
}

// OrderFloors is how many have to have been put in order.
type OrderFloors struct{ Published, Delivered int64 }

func (p ProducerOrder) Name() string { return "producer-order" }

// placed is a publish with where it stands.
type placed struct {
	publish *history.Op
	at      history.Witness // the id, or the token of the first lease as an index
}

// Check takes n log n.
func (p ProducerOrder) Check(run *history.Run) Verdict {
	v := NewVerdict(p.Name(), p.Workload)
	l := newLedger(run, p.Workload, p.Queues)
	type line struct {
		queue    string
		producer uint32
	}
	var lines []line
	known := map[line]bool{}
	ids, firsts := map[line][]placed{}, map[line][]placed{}
	published, delivered := int64(0), int64(0)
	for _, m := range l.messages {
		if m.publish == nil {
			continue
		}
		k := line{m.publish.Queue, m.key.Producer}
		if !known[k] {
			known[k] = true
			lines = append(lines, k)
		}
		if m.publish.Outcome == history.OK {
			ids[k] = append(ids[k], placed{m.publish, m.publish.At})
			published++
		}
		for _, d := range m.source.deliveries {
			if d.Attempt == 1 && d.Token != 0 {
				firsts[k] = append(firsts[k], placed{m.publish, history.Witness{Group: d.ID.Group, Index: d.Token}})
				delivered++
				break
			}
		}
	}
	for _, k := range lines {
		p.rising(v, KindIDs, "id", ids[k])
		p.rising(v, KindOrder, "first token", firsts[k])
	}
	v.Saw("published", published, p.Floors.Published)
	v.Saw("delivered", delivered, p.Floors.Delivered)
	return v.Done()
}

// rising finds publishes that stand before one that was over when they began.
func (p ProducerOrder) rising(v *Verdict, kind, what string, list []placed) {
	if p.InOrder {
		slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.publish.Key.Seq, b.publish.Key.Seq) })
		for i := range list[min(1, len(list)):] {
			p.follow(v, kind, what, list[i], list[i+1])
		}
		return
	}
	calls := slices.Clone(list)
	slices.SortFunc(calls, func(a, b placed) int { return cmp.Compare(a.publish.Call, b.publish.Call) })
	slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(until(a.publish), until(b.publish)) })
	var last placed // stands last, of those that had returned
	over := 0
	for _, x := range calls {
		for over < len(list) && until(list[over].publish) < x.publish.Call {
			if last.publish == nil || last.at.Before(list[over].at) {
				last = list[over]
			}
			over++
		}
		if last.publish != nil {
			p.follow(v, kind, what, last, x)
		}
	}
}

func (p ProducerOrder) follow(v *Verdict, kind, what string, a, b placed) {
	if a.at.Group == b.at.Group && !a.at.Before(b.at) {
		v.Add(kind, b.publish.Call, "%s %s, and %s published before it has %s", what, b.at, a.publish.Key, a.at)
	}
}
