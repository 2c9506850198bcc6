package sim

import (
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// fault is one kind of it.
type fault struct {
	name  string
	nodes int  // that it needs at least
	whole bool // every replica must be whole before: it costs one its data

	// do makes the fault and returns what lifts it. It blocks for as long as
	// the making takes.
	do func(*play, *blow) (lift func())
}

// blow is one fault as it happens.
type blow struct {
	history.Fault
	lasts time.Duration
}

// hit names who is hurt.
func (b *blow) hit(hosts ...*Host) {
	for _, h := range hosts {
		b.Nodes = append(b.Nodes, h.Name)
		b.Leader = b.Leader || h.leads()
	}
}

// bite notes an observation.
func (b *blow) bite(what string, count int64) {
	b.Bites = append(b.Bites, history.Bite{What: what, Count: count})
}

// faults is every kind.
var faults = []fault{
	{"kill-one", 3, false, func(p *play, b *blow) func() { return p.kill(b, false, p.any()) }},
	{"kill-leader", 3, false, func(p *play, b *blow) func() { return p.kill(b, false, p.leads()) }},
	{"kill-all", 3, false, func(p *play, b *blow) func() { return p.kill(b, false, p.w.Hosts...) }},
	{"rolling-restart", 3, false, rolling},
	{"power-one", 3, false, func(p *play, b *blow) func() { return p.kill(b, true, p.any()) }},
	{"power-leader", 3, false, func(p *play, b *blow) func() { return p.kill(b, true, p.leads()) }},
	{"power-all", 3, false, func(p *play, b *blow) func() { return p.kill(b, true, p.w.Hosts...) }},
	{"power-most", 3, false, func(p *play, b *blow) func() { return p.kill(b, true, p.some(len(p.w.Hosts)/2+1)...) }},

	{"silence-one", 3, false, func(p *play, b *blow) func() { return p.silence(b, p.any()) }},
	{"silence-leader", 3, false, func(p *play, b *blow) func() { return p.silence(b, p.leads()) }},
	{"halves", 3, false, halves},
	{"isolate-leader", 3, false, func(p *play, b *blow) func() { return p.isolate(b, p.leads(), true, true) }},
	{"leader-deaf", 3, false, func(p *play, b *blow) func() { return p.isolate(b, p.leads(), true, false) }},
	{"leader-mute", 3, false, func(p *play, b *blow) func() { return p.isolate(b, p.leads(), false, true) }},
	{"one-deaf", 3, false, func(p *play, b *blow) func() { return p.isolate(b, p.any(), true, false) }},
	{"one-mute", 3, false, func(p *play, b *blow) func() { return p.isolate(b, p.any(), false, true) }},
	{"ring", 5, false, ring},
	{"flapping", 3, false, flapping},
	{"client-cut", 3, false, clientCut},
	{"resets", 3, false, resets},
	{"loss", 3, false, func(p *play, b *blow) func() { return p.weather(b, p.lossy()) }},
	{"delay", 3, false, func(p *play, b *blow) func() { return p.weather(b, p.laggy()) }},

	{"eio-write", 3, false, func(p *play, b *blow) func() { return p.disk(b, brokenWrite) }},
	{"eio-fsync", 3, false, func(p *play, b *blow) func() { return p.disk(b, brokenSync) }},
	{"disk-full", 3, false, func(p *play, b *blow) func() { return p.disk(b, full) }},
	{"slow-disk", 3, false, func(p *play, b *blow) func() { return p.slow(b, p.rand.IntN(2) == 0) }},
	{"disk-hangs", 3, false, func(p *play, b *blow) func() { return p.disk(b, hanging) }},
	{"rot-log", 3, true, func(p *play, b *blow) func() { return p.rot(b, "log") }},
	{"rot-snapshots", 3, true, func(p *play, b *blow) func() { return p.rot(b, "snapshots") }},
	{"rot-vote", 3, true, func(p *play, b *blow) func() { return p.rot(b, "vote") }},
	{"rot-watermark", 3, true, func(p *play, b *blow) func() { return p.rot(b, "watermark") }},

	{"wall-clock", 3, false, wallClock},
}

// any is a host by the dice.
func (p *play) any() *Host { return p.w.Hosts[p.rand.IntN(len(p.w.Hosts))] }

// leads is the leader, or anyone while there is none.
func (p *play) leads() *Host {
	if h := p.w.leader(); h != nil {
		return h
	}
	return p.any()
}

// some is n hosts by the dice.
func (p *play) some(n int) []*Host {
	var picked []*Host
	for _, i := range p.rand.Perm(len(p.w.Hosts))[:n] {
		picked = append(picked, p.w.Hosts[i])
	}
	return picked
}

func (p *play) others(h *Host) (others []*Host) {
	for _, x := range p.w.Hosts {
		if x != h {
			others = append(others, x)
		}
	}
	return others
}

// hurt makes one fault, lets it last, and lifts it.
func (p *play) hurt(f fault) {
	b := &blow{lasts: between(p.rand, time.Second, 6*time.Second)}
	b.Name, b.From = f.name, p.rec.Now()
	before := p.w.Network.Counts()
	lift := f.do(p, b)
	p.trace.Note("fault", "%s of %v for %.1fs", f.name, b.Nodes, b.lasts.Seconds())
	p.sleep(b.lasts)
	lift()
	b.To = p.rec.Now()
	if bad := p.w.Network.Counts().Since(before).Bad(); len(b.Bites) == 0 {
		b.bite("segments", bad)
	}
	p.trace.Note("fault", "%s is over, %s", f.name, bites(b.Bites))
	p.faults = append(p.faults, b.Fault)
}

func bites(all []history.Bite) string {
	s := "it bit:"
	for _, b := range all {
		s += fmt.Sprintf(" %s=%d", b.What, b.Count)
	}
	return s
}
