package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

// commit mostly makes one that is accepted: it settles what the session holds,
// and publishes little.
func (g *generator) commit(t *rapid.T) Command {
	x := &fsm.Commit{OpHeader: g.header(t)}
	c := Command{Command: x}
	s := g.m.sessions[x.Session]
	settled := map[uint64]bool{}
	for range pick(t, 0, 3, "settles") {
		it := g.item(t, s)
		if settled[it.Token] && percent(t, "twice") < 80 {
			continue
		}
		settled[it.Token] = true
		x.Settles = append(x.Settles, it)
	}
	for range pick(t, 0, 2, "publishes") {
		drafts := g.drafts(t)
		if len(drafts) > fsm.MaxItems && percent(t, "many") < 50 {
			drafts = nil
		}
		p := fsm.CommitPublish{Queue: g.destination(t)}
		p.Count, p.Records = records(drafts)
		x.Publishes = append(x.Publishes, p)
		c.Drafts = append(c.Drafts, drafts...)
	}
	if c.Broken = len(x.Publishes) > 0 && percent(t, "broken") < 1; c.Broken {
		x.Publishes[len(x.Publishes)-1].Count++
	}
	return c
}
