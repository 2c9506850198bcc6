package sim

import (
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/sim/disk"
)

var (
	brokenWrite = disk.Faults{Write: syscall.EIO}
	brokenSync  = disk.Faults{Sync: syscall.EIO}
	full        = disk.Faults{Write: syscall.ENOSPC}
	hanging     = disk.Faults{Slow: time.Minute}
)

// disk makes a host's disk bad. Its process has to end by itself, and cannot
// run again before the disk is good.
func (p *play) disk(b *blow, f disk.Faults) func() {
	h := p.any()
	if p.rand.IntN(2) == 0 {
		h = p.leads()
	}
	b.hit(h)
	before, exits := h.disk.Counts(), h.exits.Load()
	h.disk.SetFaults(f)
	if f.Slow > 0 {
		b.lasts += storeDeadline
	}
	return func() {
		h.disk.SetFaults(disk.Faults{})
		b.bite("refused", h.disk.Counts().Bad()-before.Bad())
		b.bite("exits", h.exits.Load()-exits)
	}
}

// storeDeadline is how long a call of a store may take; package store has the same.
const storeDeadline = 10 * time.Second

// slow makes the fsyncs of one host, or of all, take long.
func (p *play) slow(b *blow, all bool) func() {
	hosts := p.some(1)
	if all {
		hosts = p.w.Hosts
	}
	b.hit(hosts...)
	slowed := func() (n int64) {
		for _, h := range hosts {
			n += h.disk.Counts().Slowed
		}
		return n
	}
	before := slowed()
	for _, h := range hosts {
		h.disk.SetFaults(disk.Faults{Slow: between(p.rand, 20*time.Millisecond, 900*time.Millisecond)})
	}
	return func() {
		for _, h := range hosts {
			h.disk.SetFaults(disk.Faults{})
		}
		b.bite("slow fsyncs", slowed()-before)
	}
}

// rot turns bits of one host, most often under a process that was killed. A
// bit of the log or of a snapshot may lie unread for long; the restart reads
// everything.
func (p *play) rot(b *blow, place disk.Place) func() {
	h := p.any()
	b.hit(h)
	live := p.rand.IntN(3) == 0
	if !live {
		h.tell(func() { h.kill(p.rand.IntN(2) == 0) })
	}
	what := h.disk.Rot(place)
	if what == "" {
		what = "nothing: there is none"
	} else {
		b.bite("bits", 1)
	}
	p.trace.Note(h.Name, "rots: %s", what)
	return func() {
		if live {
			h.tell(func() { h.kill(false) })
		}
		p.revive(h)
	}
}
