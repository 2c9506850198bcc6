package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) consume(t *rapid.T) Command {
	h := g.header(t)
	if s := g.m.sessions[h.Session]; s != nil && len(s.consumers) > 0 && percent(t, "again") < 15 {
		again := choose(t, "consumer", s.consumerList()...).asked
		again.OpHeader = h
		return Command{Command: &again}
	}
	return Command{Command: &fsm.Consume{
		OpHeader: h, Consumer: uint32(pick(t, 1, 4, "consumer")), Queue: g.queue(t),
		CreditMessages: uint32(choose(t, "credit", 0, 1, 2, 3, 5, 8, 5000)),
		CreditBytes:    uint32(choose(t, "bytes", 0, 0, 20, 60, 100)),
		Concurrency:    uint32(choose(t, "concurrency", 0, 1, 2, 3)),
		NoAck:          percent(t, "noack") < 25,
		LeaseMillis:    uint32(choose(t, "lease", 0, 0, 1000, 5000, 60000, 999)),
	}}
}

func (g *generator) cancel(t *rapid.T) Command {
	return Command{Command: &fsm.Cancel{OpHeader: g.header(t), Consumer: uint32(pick(t, 1, 4, "consumer")), Return: percent(t, "return") < 50}}
}

func (g *generator) credit(t *rapid.T) Command {
	h := g.header(t)
	x := &fsm.Credit{Session: h.Session, Epoch: h.Epoch, Consumer: uint32(pick(t, 1, 4, "consumer"))}
	if s := g.m.sessions[h.Session]; s != nil {
		for _, c := range s.consumerList() {
			if c.asked.NoAck {
				x.Consumer, x.Through = c.number, uint64(pick(t, int(c.taken), int(c.assigned), "through"))
			}
		}
	}
	if percent(t, "too far") < 5 {
		x.Through += 1000
	}
	return Command{Command: x}
}
