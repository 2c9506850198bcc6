package modeltest

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
)

// Command with what the model needs to know of a publish's records, which it
// does not decode.
type Command struct {
	fsm.Command
	Drafts []Draft
	Broken bool // the records are not as many as they are said to be
}

// Draft is one message of a publish.
type Draft struct {
	Record []byte
	Size   uint64   // of headers and body
	Fault  fsm.Code // what is wrong with the record; OK: nothing
}

// Look lists the messages of a queue of the machine.
type Look func(queue string) []fsm.MessageInfo

// Apply does to the model what the machine did, and tells the first thing that
// the machine had no right to do.
func (m *Model) Apply(index uint64, clock fsm.Clock, commands []Command, got fsm.Applied, look Look) error {
	if len(got.Results) != len(commands) {
		return fmt.Errorf("%d results of %d commands", len(got.Results), len(commands))
	}
	m.index, m.effects, m.position = index, nil, 0
	m.ended, m.dying = nil, map[*queue][]*message{}
	m.clock.WallMillis = max(m.clock.WallMillis, clock.WallMillis)
	m.clock.LeaseMillis = max(m.clock.LeaseMillis, clock.LeaseMillis)
	for i, c := range commands {
		want := m.command(c, got.Results[i])
		if text := want.differs(got.Results[i]); text != "" {
			return fmt.Errorf("command %d, %T %+v: %s", i, c.Command, brief(c.Command), text)
		}
	}
	m.expire(got.Effects, look)
	m.unpark()
	if err := m.commandEffects(&got); err != nil {
		return err
	}
	if err := m.handouts(got.Effects); err != nil {
		return err
	}
	return m.conserved()
}

// brief leaves out what is too long to print.
func brief(c fsm.Command) any {
	if p, ok := c.(*fsm.Publish); ok {
		short := *p
		short.Records = nil
		return short
	}
	return c
}

func (m *Model) command(c Command, got fsm.Result) Outcome {
	if o, numbered := m.numbered(c, got); numbered {
		return o
	}
	o := m.unnumbered(c.Command)
	o.Index = m.index
	return o
}

func (m *Model) unnumbered(c fsm.Command) Outcome {
	switch x := c.(type) {
	case *fsm.Leader:
		return m.detachNode("", true)
	case *fsm.DetachNode:
		return m.detachNode(x.Node, false)
	case *fsm.Open:
		return m.open(x)
	case *fsm.Attach:
		return m.attach(x)
	case *fsm.Detach:
		return m.detach(x)
	case *fsm.End:
		return m.end(x)
	case *fsm.Credit:
		return m.credit(x)
	case *fsm.SetVersion:
		m.version = max(m.version, x.Version)
		return Outcome{Code: fsm.OK, Value: uint64(m.version)}
	case *fsm.Checkpoint:
		return answer(fsm.OK)
	}
	panic(fmt.Sprintf("no such command: %T", c))
}

func (m *Model) numbered(c Command, got fsm.Result) (o Outcome, numbered bool) {
	run := func(h *fsm.OpHeader, items int, judge func() Outcome) (Outcome, bool) {
		return m.operation(h, min(items, fsm.MaxItems), got, judge), true
	}
	switch x := c.Command.(type) {
	case *fsm.Publish:
		return run(&x.OpHeader, int(min(x.Count, fsm.MaxItems)), func() Outcome { return m.publish(x, c, got) })
	case *fsm.Settle:
		return run(&x.OpHeader, len(x.Items), func() Outcome { return m.settle(x) })
	case *fsm.Consume:
		return run(&x.OpHeader, 0, func() Outcome { return m.consume(x) })
	case *fsm.Cancel:
		return run(&x.OpHeader, 0, func() Outcome { return m.cancel(x) })
	case *fsm.QueueCreate:
		return run(&x.OpHeader, 0, func() Outcome { return m.create(x) })
	case *fsm.QueueUpdate:
		return run(&x.OpHeader, 0, func() Outcome { return m.update(x) })
	case *fsm.QueueDelete:
		return run(&x.OpHeader, 0, func() Outcome { return m.delete(x) })
	case *fsm.QueuePurge:
		return run(&x.OpHeader, 0, func() Outcome { return m.purge(x) })
	case *fsm.QueuePause:
		return run(&x.OpHeader, 0, func() Outcome { return m.pause(x) })
	}
	return Outcome{}, false
}

func (m *Model) conserved() error {
	for name, q := range m.queues {
		if !q.conserved() {
			return fmt.Errorf("the model itself does not account for all of %s", name)
		}
	}
	return nil
}
