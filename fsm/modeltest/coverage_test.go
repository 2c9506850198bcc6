package modeltest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
)

// percentMin is the least share of each kind of command. A property that was
// tested on too little, or never on some kind of command, was not tested; see
// also commandsMin and reached.
const percentMin = 1

// coverage of a whole run.
type coverage struct {
	entries, commands int
	kinds             map[fsm.Kind]int
	codes             map[fsm.Code]int
	causes            map[fsm.Cause]int
	answers           map[fsm.Code]int
	seen              map[string]int
}

func newCoverage() *coverage {
	return &coverage{kinds: map[fsm.Kind]int{}, codes: map[fsm.Code]int{}, causes: map[fsm.Cause]int{},
		answers: map[fsm.Code]int{}, seen: map[string]int{}}
}

func (c *coverage) note(commands []Command, a fsm.Applied) {
	c.entries++
	c.commands += len(commands)
	for i, x := range commands {
		c.kinds[x.Kind()]++
		r := a.Results[i]
		c.codes[r.Code]++
		c.causes[r.Cause]++
		for _, v := range r.Items {
			c.codes[v.Code]++
			c.causes[v.Cause]++
		}
	}
	for _, e := range a.Effects {
		switch {
		case e.Kind == fsm.EffectAnswer:
			c.answers[e.Code]++
		case e.Kind == fsm.EffectDeliver && e.Attempt == 1:
			c.seen["first deliveries"]++
		case e.Kind == fsm.EffectDeliver:
			c.seen["deliveries again"]++
		}
		c.see(e.Death != nil, "deliveries of the dead")
	}
}

// look notes what the state is like.
func (c *coverage) look(m *Model) {
	for _, q := range m.queues {
		for _, msg := range q.messages {
			c.see(msg.status == parked, "parked messages")
			c.see(msg.status == scheduled, "scheduled messages")
			c.see(msg.status == retrying, "retrying messages")
			c.see(msg.alone, "messages blamed for a crash")
			c.see(msg.alone && msg.status == leased, "messages leased alone")
			c.see(msg.reserved != nil, "messages that wait for a consumer")
			c.see(msg.reserved != nil && msg.line.group != "" && q.holder(msg.line) == msg.reserved, "such behind one of their group")
			if msg.death != nil {
				c.seen["dead: "+msg.death.Reason]++
			}
		}
		for _, l := range q.lines {
			c.see(l.parked, "parked groups")
			c.see(l.parked && len(q.messagesOf(l)) == 0, "parked groups without messages")
			c.see(l.condemned, "condemned groups")
			c.see(l.given > 1, "batches of a group")
		}
		c.see(len(q.ring) > 1, "tenants that take turns")
		c.see(q.active != nil, "exclusive queues with a consumer")
		c.see(len(q.window.entries) > 0, "windows with ids")
		c.see(q.missed > 0, "subscriptions that missed something")
		if q.breaker != nil {
			c.see(q.breaker.state == fsm.BreakerIsOpen, "open breakers")
			c.see(q.breaker.state == fsm.BreakerHalfOpen, "breakers that probe")
			c.see(q.breaker.state == fsm.BreakerHalfOpen && q.breaker.round > 1, "later rounds of probes")
		}
		c.see(q.limited() && !q.hasToken(), "rates that are used up")
	}
	for _, h := range m.junk {
		for _, msg := range h.messages {
			r, _ := m.requestOf(msg)
			c.see(r != nil, "requests that are junk")
		}
	}
	for _, s := range m.sessions {
		for _, r := range s.requests {
			c.see(r.answered, "answers that are kept")
		}
	}
}

// keepsLines tells whether something is ready in another line than the plain
// one that was taken away.
func (m *Model) keepsLines() bool {
	return slices.ContainsFunc(m.junk, func(h *heap) bool {
		return slices.ContainsFunc(h.messages, func(msg *message) bool { return msg.line.number != 0 && msg.status == ready })
	})
}

func (c *coverage) see(is bool, what string) {
	if is {
		c.seen[what]++
	}
}

// check fails the test unless everything was reached, and prints the table.
func (c *coverage) check(t *testing.T) {
	t.Helper()
	var table strings.Builder
	missed := 0
	line := func(what string, count, floor int) {
		mark := ""
		if count < floor {
			mark = fmt.Sprintf("  MISSED: at least %d", floor)
			missed++
		}
		fmt.Fprintf(&table, "%-28s %8d%s\n", what, count, mark)
	}
	line("commands", c.commands, commandsMin)
	for k := fsm.KindLeader; k <= fsm.KindAwait; k++ {
		line("command "+kinds[k], c.kinds[k], c.commands*percentMin/100)
	}
	for code := fsm.OK; code <= fsm.DeadLettered; code++ {
		name, told := codes[code]
		ending, ends := answerCodes[code]
		if told {
			line("code "+name, c.codes[code], leastOf("code "+name))
		}
		if ends {
			line("answer "+ending, c.answers[code], leastOf("answer "+ending))
		}
		if !told && !ends && code != fsm.Unsupported {
			t.Errorf("code %d is in no table", code)
		}
	}
	for cause := range fsm.CauseRequeued + 1 {
		if name, possible := causes[cause]; possible {
			line("cause "+name, c.causes[cause], leastOf("cause "+name))
		}
	}
	for _, what := range reached {
		line(what, c.seen[what], seenMin)
	}
	if missed > 0 {
		t.Errorf("the run did not reach %d of what it must:\n%s", missed, table.String())
		return
	}
	if path := os.Getenv("MODELTEST_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(table.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d entries:\n%s", c.entries, table.String())
}
