package broker

import (
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func (c *conn) commit(f transport.Frame) error {
	var m transport.Commit
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	messages := 0
	for i := range m.Publishes {
		messages += int(m.Publishes[i].Count)
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindCommit, messages)
	if !ok {
		return nil
	}
	if r, bad := c.checkCommit(&m, messages); bad {
		c.answer(&o, r)
		return nil
	}
	if r, ok := c.rate.take(messages, time.Now()); !ok {
		c.answer(&o, r)
		return nil
	}
	x := fsm.Commit{OpHeader: head, Settles: c.settles(m.Settles)}
	for i := range m.Publishes {
		p := &m.Publishes[i]
		x.Publishes = append(x.Publishes, fsm.CommitPublish{Queue: p.Queue, Count: p.Count, Records: p.Records})
	}
	l := o.handle.lane
	o.grows = mayGrow(&x) && (!l.underAlarm() || l.grow(&x)[0])
	c.b.metrics.settling(m.Settles) // before its answer can go out
	c.submit(o, l, func(b []byte) []byte { return fsm.AppendCommit(b, &x) })
	return nil
}

func (c *conn) checkCommit(m *transport.Commit, messages int) (transport.Result, bool) {
	switch n := len(m.Settles) + messages; {
	case n == 0:
		return refusal(transport.CodeInvalid, "nothing to commit"), true
	case n > c.b.o.MessagesMax:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d settles and messages, at most %d", n, c.b.o.MessagesMax)), true
	}
	if r, bad := checkSettles(m.Settles); bad {
		return r, true
	}
	var check recordCheck
	for i := range m.Publishes {
		p := &m.Publishes[i]
		if r, bad := check.all(&c.b.o, p.Records, p.Count); bad {
			r.Detail = fmt.Sprintf("publish %d: %s", i, r.Detail)
			return r, true
		}
	}
	return transport.Result{}, false
}
