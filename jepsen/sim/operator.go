package sim

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	operatorLooks = time.Second
	operatorWaits = 5 * time.Second // for one removal
)

// operate is the person who removes the dead self of a node that was rebuilt:
// the product leaves that to one. It ends with end.
func (p *play) operate(end <-chan struct{}) {
	tick := time.NewTicker(operatorLooks)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		if leader := p.w.leader(); leader != nil {
			p.removeDead(leader)
		}
	}
}

func (p *play) removeDead(leader *Host) {
	l := leader.life.Load()
	if l == nil {
		return
	}
	s := l.cluster.Status().Groups[0]
	servers := map[string]int{}
	for _, m := range s.Members {
		servers[m.Node]++
	}
	for _, h := range p.w.Hosts {
		if servers[h.Name] < 2 {
			continue
		}
		ctx, cancel := context.WithTimeout(p.ctx, operatorWaits)
		_, err := l.cluster.Control(ctx, transport.Control{Kind: cluster.ControlRemove, Node: h.Name})
		cancel()
		if err == nil {
			p.trace.Note("person", "removes the dead self of %s", h.Name)
		}
	}
}
