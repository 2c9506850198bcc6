package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// line is what a queue hands out in one order: the messages of a priority (of
// a tenant), or those of a message group. It lives while it has messages, and
// while it is parked.
type line struct {
	number   int // the lowest that no other has; 0 is that of what has no attributes
	tenant   string
	priority uint8
	group    string

	parked    bool // the head died: held until resumed
	condemned bool // the head died: the rest follows it
	given     uint32
	last      *consumer
}

// wanted is the line that a message belongs to.
func (q *queue) wanted(d Draft) line {
	want := line{priority: fsm.DefaultPriority}
	if q.dlq == nil {
		return want
	}
	if q.settings.Fair {
		want.tenant = d.Tenant
	}
	if d.Priority != nil {
		want.priority = *d.Priority
	}
	want.group = d.Group
	return want
}

// lineOf finds or makes the line of a message.
func (q *queue) lineOf(d Draft) *line {
	want := q.wanted(d)
	if q.lasting != nil {
		q.met = append(q.met, want.tenant)
	}
	if i := slices.IndexFunc(q.lines, want.same); i >= 0 {
		return q.lines[i]
	}
	if want.group != "" || want.tenant != "" || want.priority != fsm.DefaultPriority {
		want.number = q.freeNumber()
	}
	q.lines = append(q.lines, &want)
	if q.lasting != nil && !slices.ContainsFunc(q.lasting, want.same) {
		q.lasting = append(q.lasting, &want)
	}
	return &want
}

// lineCause tells why a queue does not take a message for its line: there are too
// many, or too many tenants, in whatever group the new one is.
func (m *Model) lineCause(q *queue, d Draft) fsm.Cause {
	want := q.wanted(d)
	lines, has := 0, false
	for _, l := range q.counted() {
		has = has || l.same(&want)
		if !l.plain() {
			lines++
		}
	}
	known := q.tenants()
	switch {
	case q.dlq == nil, want.plain():
		return fsm.CauseNone
	case !has && lines >= m.bounds.Groups:
		return fsm.CauseGroups
	case want.tenant != "" && !known[want.tenant] && len(known) >= m.bounds.Tenants:
		return fsm.CauseTenants
	}
	return fsm.CauseNone
}

// counted are the lines that count in the limits: those that are there, and in
// an attempt those that its drops ended.
func (q *queue) counted() []*line {
	if q.lasting != nil {
		return q.lasting
	}
	return q.lines
}

// keepLines lets all lines that are there count to the end of an attempt.
func (m *Model) keepLines() {
	for _, q := range m.queues {
		q.lasting, q.met = append([]*line{}, q.lines...), nil
	}
}

func (l *line) plain() bool {
	return l.group == "" && l.tenant == "" && l.priority == fsm.DefaultPriority
}

// tenants of a fair queue that have messages or a weight, by name.
func (q *queue) tenants() map[string]bool {
	known := map[string]bool{}
	for _, l := range q.counted() {
		known[l.tenant] = true
	}
	for name, weight := range q.weights {
		if weight > 1 {
			known[name] = true
		}
	}
	for _, name := range q.met {
		known[name] = true
	}
	delete(known, "")
	return known
}

// same: a group's lines have only its name.
func (l *line) same(x *line) bool {
	return l.group == x.group && (l.group != "" || l.priority == x.priority && l.tenant == x.tenant)
}

func (q *queue) freeNumber() int {
	for n := 1; ; n++ {
		if !slices.ContainsFunc(q.lines, func(l *line) bool { return l.number == n }) {
			return n
		}
	}
}

// messagesOf lists the messages of a line, by place.
func (q *queue) messagesOf(l *line) (all []*message) {
	for _, msg := range q.messages {
		if msg.line == l {
			all = append(all, msg)
		}
	}
	return all
}

// lives tells whether a line is there: nothing is left to say of one that has no
// messages and is not parked.
func (q *queue) lives(l *line) bool { return l.parked || len(q.messagesOf(l)) > 0 }

// otherLines counts the lines that are there, but the plain one.
func (q *queue) otherLines() (n int) {
	for _, l := range q.lines {
		if !l.plain() && q.lives(l) {
			n++
		}
	}
	return n
}

// lined are the queues that have such lines, by name.
func (m *Model) lined() (all []*queue) {
	for _, q := range m.queueList() {
		if q.dlq != nil && q.otherLines() > 0 {
			all = append(all, q)
		}
	}
	return all
}

// prune forgets the lines that are not there any more. To a parked one that has
// no messages the rest has followed.
func (q *queue) prune() {
	q.lines = slices.DeleteFunc(q.lines, func(l *line) bool { return !q.lives(l) })
	for _, l := range q.lines {
		l.condemned = l.condemned && len(q.messagesOf(l)) > 0
	}
}

// emptied forgets the lines that have no messages, parked or not.
func (q *queue) emptied() {
	for _, l := range q.lines {
		l.parked = l.parked && len(q.messagesOf(l)) > 0
	}
	q.prune()
}

// front of a line: the first message that can be handed out, if the line may
// be served.
func (q *queue) front(l *line) *message {
	if l.group != "" && (l.parked || l.condemned || q.blocked(l)) {
		return nil
	}
	for _, msg := range q.messagesOf(l) {
		if msg.status == ready && msg.reserved == nil {
			return msg
		}
	}
	return nil
}

// groups counts the groups that are there, and those that are parked.
func (q *queue) groups() (all, held uint64) {
	for _, l := range q.lines {
		if l.group != "" {
			all++
			if l.parked {
				held++
			}
		}
	}
	return all, held
}
