package sim

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/sim/network"
)

// silence cuts a host off from everybody: all that a pause of the machine has
// in common with the process going on.
func (p *play) silence(b *blow, h *Host) func() {
	b.hit(h)
	h.silence()
	return p.heal
}

func (p *play) heal() { p.w.Network.HealAll() }

// isolate cuts a host off from the other nodes, but not from the clients.
func (p *play) isolate(b *blow, h *Host, in, out bool) func() {
	b.hit(h)
	for _, x := range p.others(h) {
		if in {
			p.w.Network.CutOneWay(x.Name, h.Name)
		}
		if out {
			p.w.Network.CutOneWay(h.Name, x.Name)
		}
	}
	return p.heal
}

// halves separates a minority from a majority.
func halves(p *play, b *blow) func() {
	few := p.some(1 + p.rand.IntN(len(p.w.Hosts)/2))
	b.hit(few...)
	in := map[*Host]bool{}
	for _, h := range few {
		in[h] = true
	}
	for _, h := range few {
		for _, x := range p.w.Hosts {
			if !in[x] {
				p.w.Network.Cut(h.Name, x.Name)
			}
		}
	}
	return p.heal
}

// ring lets each of five nodes see its two neighbours only: every majority is
// another one.
func ring(p *play, b *blow) func() {
	b.hit(p.w.Hosts...)
	order := p.some(len(p.w.Hosts))
	for i, h := range order {
		for k, x := range order {
			if d := (i - k + len(order)) % len(order); d != 0 && d != 1 && d != len(order)-1 {
				p.w.Network.Cut(h.Name, x.Name)
			}
		}
	}
	return p.heal
}

// flapping cuts and heals a host again and again.
func flapping(p *play, b *blow) func() {
	h := p.leads()
	b.hit(h)
	for range 4 {
		for _, x := range p.others(h) {
			p.w.Network.Cut(h.Name, x.Name)
		}
		p.sleep(between(p.rand, 100*time.Millisecond, 1200*time.Millisecond))
		p.heal()
		p.sleep(between(p.rand, 50*time.Millisecond, 800*time.Millisecond))
	}
	return p.heal
}

// clientCut takes a node from the clients alone.
func clientCut(p *play, b *blow) func() {
	h := p.leads()
	b.hit(h)
	p.w.Network.Cut(h.Name, clients)
	return p.heal
}

// resets breaks every connection of a host, again and again.
func resets(p *play, b *blow) func() {
	h := p.leads()
	b.hit(h)
	for range 5 {
		for _, x := range p.others(h) {
			p.w.Network.Reset(h.Name, x.Name)
		}
		p.w.Network.Reset(h.Name, clients)
		p.sleep(between(p.rand, 50*time.Millisecond, 500*time.Millisecond))
	}
	b.bite("resets", 5)
	return func() {}
}

// lossy is a network that loses, reorders and duplicates.
func (p *play) lossy() network.Rule {
	r := p.calm
	r.Loss, r.Reorder, r.Duplicate = 0.2*p.rand.Float64(), 0.3*p.rand.Float64(), 0.2*p.rand.Float64()
	return r
}

// laggy is one that is slow, and of changing speed.
func (p *play) laggy() network.Rule {
	r := p.calm
	r.Delay = between(p.rand, 10*time.Millisecond, 120*time.Millisecond)
	r.Jitter = between(p.rand, 10*time.Millisecond, 300*time.Millisecond)
	return r
}

// weather is on some links, or on all.
func (p *play) weather(b *blow, r network.Rule) func() {
	before := p.w.Network.Counts()
	few := p.some(1 + p.rand.IntN(len(p.w.Hosts)))
	b.hit(few...)
	for _, h := range few {
		for _, x := range p.others(h) {
			p.w.Network.SetRule(h.Name, x.Name, r)
		}
		p.w.Network.SetRule(h.Name, clients, r)
	}
	return func() {
		p.heal()
		c := p.w.Network.Counts().Since(before)
		b.bite("lost", c.Lost)
		b.bite("reordered", c.Reordered)
		b.bite("duplicated", c.Duplicated)
		b.bite("writes", c.Writes)
	}
}
