package sim

import (
	"sync"
	"time"
)

// kill ends processes; lifting starts them again.
func (p *play) kill(b *blow, power bool, hosts ...*Host) func() {
	b.hit(hosts...)
	ran := int64(0)
	each(hosts, func(h *Host) {
		if h.life.Load() != nil {
			p.mu.Lock()
			ran++
			p.mu.Unlock()
		}
		h.tell(func() { h.kill(power) })
	})
	b.bite("processes", ran)
	return func() { each(hosts, p.revive) }
}

// revive starts a host whose process ended, with power again. What does not
// start is tried again, as everywhere.
func (p *play) revive(h *Host) { h.tell(func() { h.boot(); h.wanted = true }) }

// each calls f for every host at once, and waits.
func each(hosts []*Host, f func(*Host)) {
	var all sync.WaitGroup
	for _, h := range hosts {
		all.Go(func() { f(h) })
	}
	all.Wait()
}

// rolling kills one after the other, each when the one before runs again.
func rolling(p *play, b *blow) func() {
	b.hit(p.w.Hosts...)
	for _, h := range p.w.Hosts {
		h.tell(func() { h.kill(false) })
		p.sleep(time.Second)
		p.revive(h)
	}
	b.bite("processes", int64(len(p.w.Hosts)))
	return func() {}
}

// wallClock puts a clock wrong.
func wallClock(p *play, b *blow) func() {
	h := p.any()
	b.hit(h)
	off := between(p.rand, 3*time.Second, 2*time.Hour)
	if p.rand.IntN(2) == 0 {
		off = -off
	}
	h.skew.Store(int64(off))
	p.trace.Note(h.Name, "its wall clock is off by %v", off.Round(time.Second))
	b.bite("seconds", int64(off.Abs().Seconds()))
	return func() { h.skew.Store(0) }
}
