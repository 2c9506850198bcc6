package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// line is what a queue hands out in one order: the messages of a priority (of
// a tenant), or those of a message group. It lives while it has messages.
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

// lineOf finds or makes the line of a message.
func (q *queue) lineOf(d Draft) *line {
	want := line{priority: fsm.DefaultPriority}
	if q.dlq != nil {
		if q.settings.Fair {
			want.tenant = d.Tenant
		}
		if d.Priority != nil {
			want.priority = *d.Priority
		}
		want.group = d.Group
	}
	for _, l := range q.lines {
		if l.group == want.group && (want.group != "" || l.priority == want.priority && l.tenant == want.tenant) {
			return l
		}
	}
	if want.group != "" || want.tenant != "" || want.priority != fsm.DefaultPriority {
		want.number = q.freeNumber()
	}
	q.lines = append(q.lines, &want)
	return &want
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

// prune forgets the lines that have no messages.
func (q *queue) prune() {
	q.lines = slices.DeleteFunc(q.lines, func(l *line) bool { return len(q.messagesOf(l)) == 0 })
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

// groups counts the groups with messages, and those that are parked.
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
