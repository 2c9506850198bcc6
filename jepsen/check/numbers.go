package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// OperationNumbers judges that an operation takes effect once, however often
// its client had to send it: under one number there is one operation with one
// place in the log, and each of its messages is stored once. With the committed
// log it also finds the copies that were committed, and that all but one of a
// session's operations of one number had no effect.
type OperationNumbers struct {
	Workload string
	Queues   []string // none: all that the workload names

	Floors NumbersFloors
}

// NumbersFloors is how much has to have been seen.
type NumbersFloors struct {
	Operations int64 // with a number
	Resent     int64 // sent again by their clients
	Copies     int64 // committed again; only where the log is known
}

func (n OperationNumbers) Name() string { return "operation-numbers" }

// Check takes n log n.
func (n OperationNumbers) Check(run *history.Run) Verdict {
	c := &clerk{
		ledger: newLedger(run, n.Workload, n.Queues), v: NewVerdict(n.Name(), n.Workload),
		gone: map[uint32][]*history.Op{}, stored: map[history.Key][]stored{},
	}
	frames := map[frame][]*history.Op{}
	var order []frame
	resent := int64(0)
	for _, o := range c.ops {
		if o.Kind == history.Gone {
			c.gone[o.Client] = append(c.gone[o.Client], o)
		}
		c.witness(o)
		if o.Number == 0 {
			continue
		}
		if o.Sends > 1 {
			resent++
		}
		k := frame{o.Client, o.Number}
		if frames[k] == nil {
			order = append(order, k)
		}
		frames[k] = append(frames[k], o)
	}
	for _, k := range order {
		c.frame(frames[k])
	}
	for _, m := range c.messages {
		c.once(m)
	}
	copies := c.log()
	c.v.Saw("operations", int64(len(order)), n.Floors.Operations)
	c.v.Saw("resent", resent, n.Floors.Resent)
	c.v.Saw("copies", copies, n.Floors.Copies)
	return c.v.Done()
}

// frame names an operation as its client does, in one of its sessions.
type frame struct {
	client uint32
	number uint64
}

// clerk is one check under way.
type clerk struct {
	*ledger
	v      *Verdict
	gone   map[uint32][]*history.Op
	stored map[history.Key][]stored // one of each id of a key
}

// stored is where a message stands, and what told it.
type stored struct {
	id history.Witness
	by *history.Op
}

// witness collects where messages are stored.
func (c *clerk) witness(o *history.Op) {
	if o.Key == (history.Key{}) {
		return
	}
	id := o.ID
	if o.Kind == history.Publish && o.Outcome == history.OK {
		id = o.At
	}
	if id == (history.Witness{}) {
		return
	}
	if list := c.stored[o.Key]; !slices.ContainsFunc(list, func(x stored) bool { return x.id == id }) {
		c.stored[o.Key] = append(list, stored{id, o})
	}
}

// once: a message is stored at one place.
func (c *clerk) once(m *message) {
	if list := c.stored[m.key]; len(list) > 1 {
		at := list[1].by
		c.v.Add(KindAppliedTwice, at.Call, "%s is stored at %d places, %s and %s: %s", m.key, len(list), list[0].id, list[1].id, at)
	}
}

// frame judges the operations under one number of a client: the messages of
// one publish, the settles of one frame, or one of any other kind. A client
// whose session is lost begins again with 1.
func (c *clerk) frame(ops []*history.Op) {
	places := map[history.Witness]bool{}
	first := ops[0]
	for i, o := range ops {
		if i > 0 && (o.Queue != first.Queue && !settles(o) || class(o) != class(first)) && !c.anew(first, o) {
			c.v.Add(KindNumber, o.Call, "number %d is also of: %s; %s", o.Number, first, o)
			return
		}
		if o.At == (history.Witness{}) {
			continue
		}
		if first.At.Index != 0 && o.At.Index != first.At.Index && !c.anew(first, o) {
			c.v.Add(KindAppliedTwice, o.Call, "number %d took effect at %s as well: %s", o.Number, first.At, o)
			return
		}
		if places[o.At] {
			c.v.Add(KindNumber, o.Call, "two operations at one place: %s", o)
			return
		}
		places[o.At] = true
		if first.At.Index == 0 {
			first = o
		}
	}
}

// anew tells whether the client may have begun another session in between.
func (c *clerk) anew(a, b *history.Op) bool {
	for _, g := range c.gone[a.Client] {
		if g.Return >= min(a.Call, b.Call) && g.Call <= max(until(a), until(b)) {
			return true
		}
	}
	return false
}

// settles tells a kind of which one frame holds many, of several queues.
func settles(o *history.Op) bool {
	switch o.Kind {
	case history.Ack, history.Nack, history.Reject, history.Extend:
		return true
	}
	return false
}

// class of operations that can share a frame.
func class(o *history.Op) history.Kind {
	if settles(o) {
		return history.Ack
	}
	return o.Kind
}
