package modeltest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) open(t *rapid.T) Command {
	return g.openOf(t, pick(t, 0, 3, "session"))
}

func (g *generator) openOf(t *rapid.T, i int) Command {
	x := &fsm.Open{Session: sessionID(i), Secret: secret(i), Principal: "p",
		IdleExpiryMillis: uint32(choose(t, "idle", 0, 0, 0, 40_000, 10_000, 999))}
	if percent(t, "stranger") < 5 {
		x.Secret[1] = 1
	}
	return Command{Command: x}
}

func (g *generator) attach(t *rapid.T) Command {
	return g.attachOf(t, pick(t, 0, 3, "session"))
}

func (g *generator) attachOf(t *rapid.T, i int) Command {
	x := &fsm.Attach{Session: sessionID(i), Secret: secret(i), Epoch: 1, Node: choose(t, "node", nodes...)}
	if s := g.m.sessions[x.Session]; s != nil {
		x.Epoch = max(1, s.epoch)
		for _, msg := range g.held(s) {
			if percent(t, "knows") < 60 {
				x.Tokens = append(x.Tokens, msg.token)
			}
		}
		slices.Sort(x.Tokens)
	}
	switch chance := percent(t, "epoch"); {
	case chance < 25:
		x.Epoch++
	case chance < 28:
		x.Epoch--
	case chance < 30:
		x.Secret[1] = 1
	case chance < 31:
		x.Node = ""
	case chance < 32:
		x.Tokens = []uint64{2, 1}
	}
	return Command{Command: x}
}

func (g *generator) detach(t *rapid.T) Command {
	h := g.header(t)
	x := &fsm.Detach{Session: h.Session, Epoch: h.Epoch, Node: choose(t, "node", nodes...),
		Cause: choose(t, "cause", fsm.DetachConnection, fsm.DetachNodeLost)}
	if s := g.m.sessions[h.Session]; s != nil && s.attached() && percent(t, "right") < 70 {
		x.Node = s.node
	}
	return Command{Command: x}
}

func (g *generator) end(t *rapid.T) Command {
	h := g.header(t)
	return Command{Command: &fsm.End{Session: h.Session, Epoch: h.Epoch}}
}
