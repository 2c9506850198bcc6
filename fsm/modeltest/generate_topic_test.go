package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) topicName(t *rapid.T) string {
	switch chance := percent(t, "topic"); {
	case chance < 3:
		return choose(t, "name", wrong...)
	case chance < 8:
		return g.queue(t)
	}
	return choose(t, "topic", topics...)
}

func (g *generator) topicCreate(t *rapid.T) Command {
	x := &fsm.TopicCreate{OpHeader: g.header(t), Topic: g.topicName(t)}
	if percent(t, "dedup") < 50 {
		x.Settings.DedupMillis = uint32(choose(t, "window", 1000, 10_000, 60_000, 999))
		x.Settings.DedupCapacity = uint32(choose(t, "capacity", 1, 2, 4))
	}
	if old := g.m.topics[x.Topic]; old != nil && percent(t, "same") < 50 {
		x.Settings = old.settings
	}
	return Command{Command: x}
}

func (g *generator) topicDelete(t *rapid.T) Command {
	return Command{Command: &fsm.TopicDelete{OpHeader: g.header(t), Topic: g.topicName(t), IfUnused: percent(t, "careful") < 70}}
}

var (
	filters      = []string{">", "a", "a.*", "a.>", "*.b", "b", "b.>"}
	wrongFilters = []string{"", "a..b", ">.a", "a.", "a.b*", "ä"}
)

func (g *generator) subscribe(t *rapid.T) Command {
	x := &fsm.Subscribe{OpHeader: g.header(t), Topic: g.topicName(t), Queue: choose(t, "queue", "s0", "s1", "q0", "q1"),
		Filter: choose(t, "filter", filters...), Required: percent(t, "required") < 40, Session: percent(t, "session") < 30,
		Settings: g.settings(t)}
	if percent(t, "dedup") < 95 {
		x.Settings.DedupMillis, x.Settings.DedupCapacity = 0, 0
	}
	if percent(t, "wrong") < 4 {
		x.Filter = choose(t, "filter", wrongFilters...)
	}
	if percent(t, "wrong name") < 3 {
		x.Queue = choose(t, "name", wrong...)
	}
	if q := g.m.queues[x.Queue]; q != nil && q.subject != nil && percent(t, "same") < 40 {
		again := q.subject.asked
		again.OpHeader = x.OpHeader
		x = &again
	}
	return Command{Command: x}
}
