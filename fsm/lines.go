package fsm

import (
	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/pages"
	"github.com/ferrymq/ferrymq/fsm/record"
)

// lines of a queue besides the plain one, which is number 0: each has
// messages, in whatever state, or is parked. A queue that has no other line, no
// tenant with a weight, and nothing in the plain line that was passed by, has no
// lines at all.
//
// What is ready in them is in the stacks of the lines. The rest says where to
// find what is next; all of it is derived but for what tenants keep.
type lines struct {
	gen     uint64 // see own.go
	all     btree.Map[uint32, *line]
	tenants btree.Map[string, *tenant] // of lines, or with a weight; and "" always

	// Derived.
	messages             uint64 // of lines, in any state
	groups, groupsParked uint64
	plain                spot                        // of the plain line
	free                 btree.Map[uint32, uint32]   // numbers below the highest that are not in use: first and last of a range
	named                map[lineKey]uint32          // looked up, never walked
	where                pages.Map[uint32]           // place to line: what is ready in them
	ring                 btree.Map[uint64, string]   // fair: turn to tenant: those that something can be served of
	doomed               btree.Map[uint32, struct{}] // condemned lines that have something unleased
}

// line is a row of messages that are handed out in the order of their places.
type line struct {
	gen      uint64
	number   uint32
	priority uint8
	tenant   string
	group    string // "": its messages do not wait for each other
	stack
	spot
	messages uint64 // in any state; derived

	given     uint32 // of a group: messages of the batch that is leased
	last      uint64 // of a group: consumer that got the last one
	parked    bool   // its head failed for good: nothing more is served until it is resumed, whether it has messages or not
	condemned bool   // its head failed for good: the rest follows

	leased   uint32 // derived, as what follows
	retrying uint32
	reserved bool                         // its front waits for a consumer to be free for it alone
	open     bool                         // its holder may be given more of the batch
	size     uint32                       // if so, of its front
	waits    *btree.Map[uint64, struct{}] // places in waiting
}

// spot is where a line stands in what the queue can serve.
type spot struct {
	front  uint64 // place, 0: nothing is ready
	listed bool   // it can be served now
}

// lineFor returns the number of a new message's line, which is made if it is
// not there.
func (q *queue) lineFor(info *record.Info) uint32 {
	if info == nil {
		return 0
	}
	key, other := q.lineKeyOf(info)
	if !other {
		return 0
	}
	o := q.ordered()
	if n, ok := o.named[key]; ok {
		return n
	}
	l := &line{gen: o.gen, number: o.takeFree(), group: key.group, tenant: q.tenantOf(info), priority: priorityOf(info)}
	o.add(l)
	return l.number
}

// ordered returns the lines, which are made if they are not there.
func (q *queue) ordered() *lines {
	if q.lines == nil {
		q.stock()
		q.lines = newLines(q.gen)
		q.relistPlain()
	}
	return q.lines
}

func newLines(gen uint64) *lines {
	o := &lines{gen: gen, named: map[lineKey]uint32{}}
	o.tenants.Set("", &tenant{gen: gen})
	return o
}

// takeFree returns the lowest number that is not in use.
func (o *lines) takeFree() uint32 {
	if n, until, ok := o.free.Min(); ok {
		o.free.Delete(n)
		if n < until {
			o.free.Set(n+1, until)
		}
		return n
	}
	last, _, _ := o.all.Max()
	return last + 1
}

func (o *lines) add(l *line) {
	o.named[l.key()] = l.number
	o.put(l)
}

// put adds a line that is named already.
func (o *lines) put(l *line) {
	o.all.Load(l.number, l)
	o.makeTenant(l.tenant).lines++
	if l.group != "" {
		o.groups++
	}
	if l.parked {
		o.groupsParked++
	}
}

// at returns a line for changing it.
func (o *lines) at(n uint32) *line {
	l, _ := o.all.Get(n)
	if l.gen != o.gen {
		l = l.clone(o.gen)
		o.all.Set(n, l)
	}
	return l
}

// endLine takes a line away that has no messages any more, and is held for none.
func (q *queue) endLine(l *line) {
	o := q.lines
	o.all.Delete(l.number)
	delete(o.named, l.key())
	o.free.Set(l.number, l.number)
	for last, _, _ := o.all.Max(); ; {
		n, _, ok := o.free.Max()
		if !ok || n < last {
			break
		}
		o.free.Delete(n)
	}
	if l.group != "" {
		o.groups--
	}
	o.park(l, false)
	t := o.tenant(l.tenant)
	t.lines--
	o.forget(t)
	q.endLines()
}

// endLines lets go of the lines when there is nothing to say of any.
func (q *queue) endLines() {
	if q.lines != nil && q.lines.idle() {
		q.lines = nil
	}
}

func (o *lines) idle() bool {
	t, _ := o.tenants.Get("")
	return o.all.Len() == 0 && o.tenants.Len() == 1 && t.weight == 0 && t.guard == 0
}

// park holds a group back, or lets it go on.
func (o *lines) park(l *line, parked bool) {
	switch {
	case parked && !l.parked:
		o.groupsParked++
	case !parked && l.parked:
		o.groupsParked--
	}
	l.parked = parked
}

func (o *lines) clone(gen uint64) *lines {
	if o == nil {
		return nil
	}
	pinned := *o
	c := *o // what is derived is never read through a pinned queue, but for what info and hashes need
	c.gen = gen
	c.all = *pinned.all.Copy()
	c.tenants = *pinned.tenants.Copy()
	return &c
}

func (l *line) clone(gen uint64) *line {
	c := *l
	c.gen = gen
	c.stack = l.stack.clone()
	return &c
}

// findFree fills in the numbers below the highest that are not in use.
func (o *lines) findFree() {
	next := uint32(1)
	o.all.Scan(func(n uint32, _ *line) bool {
		if next < n {
			o.free.Set(next, n-1)
		}
		next = n + 1
		return true
	})
}
