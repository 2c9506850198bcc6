package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) request(t *rapid.T) Command {
	x := &fsm.Request{OpHeader: g.header(t), Queue: g.queue(t), NoRetry: percent(t, "no retry") < 40}
	g.unique++
	d := g.draft(t, 0)
	if d.Fault == fsm.OK {
		wall := uint64(g.m.clock.WallMillis)
		d.Deadline = wall + uint64(choose(t, "deadline", 500, 2000, 10_000, 60_000, 60_000))
		switch percent(t, "wrong deadline") {
		case 0:
			d.Deadline = 0
		case 1, 2:
			d.Deadline = wall - uint64(choose(t, "over", 1, 1000))
		case 3, 4:
			d.Deadline = wall + fsm.MaxRequestMillis + 100_000
		}
		d = d.sealed("")
	}
	g.taken(t, x)
	c := Command{Command: x, Drafts: []Draft{d}}
	g.few(t, &c)
	_, x.Records = records(c.Drafts)
	return c
}

// taken says that answers have come, mostly some that have.
func (g *generator) taken(t *rapid.T, x *fsm.Request) {
	if s := g.m.sessions[x.Session]; s != nil && percent(t, "taken") < 30 {
		for _, number := range s.numbers() {
			if percent(t, "this") < 70 {
				x.Taken = append(x.Taken, number)
			}
		}
	}
	switch percent(t, "wrongly taken") {
	case 0:
		x.Taken = make([]uint64, fsm.MaxTaken+1)
	case 1:
		x.Taken = append(x.Taken, 0, 7, 7, x.Number)
	}
}

// few makes it none or two records where one must be, now and then.
func (g *generator) few(t *rapid.T, c *Command) {
	switch percent(t, "records") {
	case 0:
		c.Drafts = nil
	case 1:
		c.Drafts = append(c.Drafts, c.Drafts[0])
	}
}

// reply answers, mostly, a request that the session holds.
func (g *generator) reply(t *rapid.T) Command {
	x := &fsm.Reply{OpHeader: g.header(t)}
	s := g.m.sessions[x.Session]
	it := g.item(t, s)
	var asked []*message
	if s != nil {
		for _, msg := range g.held(s) {
			if msg.request {
				asked = append(asked, msg)
			}
		}
	}
	if percent(t, "request") < 80 {
		g.name(t, &it, asked)
	}
	x.Incarnation, x.Place, x.Token = it.Incarnation, it.Place, it.Token
	g.unique++
	d := g.draft(t, 0)
	if percent(t, "large") < 3 {
		d = Draft{Content: make([]byte, fsm.MaxAnswerBytes+1)}.sealed("")
	}
	c := Command{Command: x, Drafts: []Draft{d}}
	g.few(t, &c)
	_, x.Records = records(c.Drafts)
	return c
}

func (g *generator) await(t *rapid.T) Command {
	h := g.header(t)
	x := &fsm.Await{Session: h.Session, Epoch: h.Epoch, Number: uint64(pick(t, 0, 20, "number"))}
	if s := g.m.sessions[h.Session]; s != nil && len(s.requests) > 0 && percent(t, "right") < 80 {
		x.Number = choose(t, "number", s.numbers()...)
	}
	return Command{Command: x}
}
