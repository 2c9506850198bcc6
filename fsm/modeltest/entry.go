package modeltest

import (
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// Command with what the model needs to know of a publish's records, which it
// does not decode.
type Command struct {
	fsm.Command
	Drafts []Draft
	Broken bool // the records are not as many as they are said to be
}

// Look lists the messages of a queue of the machine.
type Look func(queue string) []fsm.MessageInfo

// Apply does to the model what the machine did, and tells the first thing that
// the machine had no right to do. Told is what was traced of the entry.
func (m *Model) Apply(index uint64, clock fsm.Clock, commands []Command, got fsm.Applied, look Look, told []fsm.TraceEvent) error {
	if len(got.Results) != len(commands) {
		return fmt.Errorf("%d results of %d commands", len(got.Results), len(commands))
	}
	m.begin(index, clock)
	m.told = told
	for i, c := range commands {
		want := m.command(c, got.Results[i])
		if text := want.differs(got.Results[i]); text != "" {
			return fmt.Errorf("command %d, %T %+v: %s", i, c.Command, brief(c.Command), text)
		}
	}
	m.tail(got.Effects, look)
	if err := m.reclaim(told); err != nil {
		return err
	}
	rest, answers, err := m.expected(got.Effects)
	if err != nil {
		return err
	}
	if err := m.handouts(rest); err != nil {
		return err
	}
	if err := m.sameInAnyOrder(answers, m.answers); err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	return m.conserved()
}

func (m *Model) begin(index uint64, clock fsm.Clock) {
	m.index, m.position = index, 0
	m.effects, m.late, m.answers = nil, nil, nil
	m.ended, m.dying, m.inTail = nil, map[*queue][]*message{}, false
	m.spentElse, m.spentLossy, m.crowded, m.toil = 0, 0, nil, toil{}
	for _, q := range m.queues {
		q.crowded = false
	}
	m.clock.WallMillis = max(m.clock.WallMillis, clock.WallMillis)
	m.clock.LeaseMillis = max(m.clock.LeaseMillis, clock.LeaseMillis)
}

// tail is what follows the commands of every entry, but for what is reclaimed
// and the hand-outs.
func (m *Model) tail(effects []fsm.Effect, look Look) {
	m.inTail = true
	m.overdue()
	m.overdueRequests()
	m.overdueOnWall()
	m.forgetIDs()
	m.mourn(effects, look)
	m.unpark()
	m.condemn()
	m.mourn(effects, look)
	m.makeWay()
}

// brief leaves out what is too long to print.
func brief(c fsm.Command) any {
	switch x := c.(type) {
	case *fsm.Publish:
		short := *x
		short.Records = nil
		return short
	case *fsm.Settle:
		short := *x
		short.Items = slices.Clone(x.Items[:min(len(x.Items), itemsShown)])
		for i := range short.Items {
			short.Items[i].Error = short.Items[i].Error[:min(len(short.Items[i].Error), errorShown)]
		}
		return short
	}
	return c
}

const (
	itemsShown = 10
	errorShown = 10
)

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
	case *fsm.Await:
		return m.await(x)
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
	return m.numberedMore(c, got, run)
}

type runner func(h *fsm.OpHeader, items int, judge func() Outcome) (Outcome, bool)

func (m *Model) numberedMore(c Command, got fsm.Result, run runner) (o Outcome, numbered bool) {
	switch x := c.Command.(type) {
	case *fsm.Commit:
		return run(&x.OpHeader, commitItems(x), func() Outcome { return m.commit(x, c, got) })
	case *fsm.Amend:
		return run(&x.OpHeader, len(x.Items), func() Outcome { return m.amend(x) })
	case *fsm.Breaker:
		return run(&x.OpHeader, 0, func() Outcome { return m.switchBreaker(x) })
	case *fsm.GroupResume:
		return run(&x.OpHeader, 0, func() Outcome { return m.resume(x) })
	case *fsm.TenantWeight:
		return run(&x.OpHeader, 0, func() Outcome { return m.setWeight(x) })
	case *fsm.TopicCreate:
		return run(&x.OpHeader, 0, func() Outcome { return m.topicCreate(x) })
	case *fsm.TopicDelete:
		return run(&x.OpHeader, 0, func() Outcome { return m.topicDelete(x) })
	case *fsm.Subscribe:
		return run(&x.OpHeader, 0, func() Outcome { return m.subscribe(x) })
	case *fsm.Request:
		return run(&x.OpHeader, 1, func() Outcome { return m.ask(x, c, got) })
	case *fsm.Reply:
		return run(&x.OpHeader, 1, func() Outcome { return m.replyTo(x, c, got) })
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
