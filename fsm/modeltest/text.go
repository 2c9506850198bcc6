package modeltest

import (
	"fmt"
	"strings"
)

// String tells what there is in a queue, for whoever looks for a mistake.
func (q *queue) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "        %s: %+v\n", q.name, q.settings)
	for _, t := range q.ring {
		fmt.Fprintf(&b, "        tenant %q used %d of %d\n", t.tenant, t.used, q.weight(t.tenant))
	}
	fmt.Fprintf(&b, "        passed over %v, bucket %+v, breaker %+v\n", q.guard, q.bucket, q.breaker)
	for _, c := range q.round {
		fmt.Fprintf(&b, "        consumer %s holds %d, %+v\n", c, len(c.held), c.asked)
	}
	for _, msg := range q.messages {
		fmt.Fprintf(&b, "        place %d state %d line %+v size %d at %d expires %d attempts %d holder %s alone %v for %s\n", msg.place, msg.status,
			*msg.line, msg.size(), msg.at, msg.expires, msg.attempts, msg.holder, msg.alone, msg.reserved)
	}
	return b.String()
}

func (c *consumer) String() string {
	if c == nil {
		return "-"
	}
	return fmt.Sprintf("%d of %x", c.number, c.session.id[:2])
}
