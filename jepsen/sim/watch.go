package sim

import (
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// digestsEvery is how many seconds lie between two lines of digests.
const digestsEvery = 5

// watch probes every host once a second, and traces what the second brought.
func (p *play) watch() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var before history.Counts
		for second := 1; ; second++ {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			now := p.rec.Counts()
			p.trace.Note("traffic", "confirmed %d delivered %d settled %d open %d",
				now.Confirmed-before.Confirmed, now.Delivered-before.Delivered, now.Settled-before.Settled, now.Open)
			before = now
			p.probe(second%digestsEvery == 0)
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// probe asks every host how it sees its group.
func (p *play) probe(traced bool) {
	for _, h := range p.w.Hosts {
		s, runs := h.status()
		if !runs {
			p.probes = append(p.probes, history.Probe{At: p.rec.Now(), Node: h.Name, Error: "it does not run"})
			continue
		}
		p.probes = append(p.probes, history.Probe{
			At: p.rec.Now(), Node: h.Name, Leader: s.Leader, Term: s.Term,
			Applied: s.AppliedIndex, Commit: s.CommitIndex, Digest: s.Digest,
		})
		if traced {
			p.trace.Note(h.Name, "term %d applied %d digest %.8s", s.Term, s.AppliedIndex, s.Digest)
		}
	}
}

// queuesMax bounds the queues of a replica that are looked at.
const queuesMax = 1000

// collect takes what replicas and logs hold in the end.
func (p *play) collect() error {
	end := uint64(0)
	for _, h := range p.w.Hosts {
		l := h.life.Load()
		if l == nil {
			return fmt.Errorf("%s does not run in the end", h.Name)
		}
		r := history.Replica{Node: h.Name}
		l.cluster.Group(0).View(func(s *fsm.State) {
			d := s.Digest()
			r.Applied, r.Digest = s.Index(), fmt.Sprintf("%x", d)
			all, _ := s.Queues("", "", queuesMax)
			for _, q := range all {
				r.Queues = append(r.Queues, history.Queue{
					Name: q.Name, Incarnation: q.Incarnation, Ready: q.Ready, Leased: q.Leased,
					Scheduled: q.Scheduled, Retrying: q.Retrying, Parked: q.Parked,
					Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
					Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed, Duplicates: q.Duplicates,
				})
			}
		})
		p.run.Replicas = append(p.run.Replicas, r)
		end = max(end, r.Applied)
	}
	for _, h := range p.w.Hosts {
		logs := h.disk.Entries()
		for i, l := range logs {
			if l.Index > end {
				logs = logs[:i]
				break
			}
		}
		p.w.book.add(logs)
	}
	var err error
	p.run.Log, err = p.w.book.log()
	for _, index := range p.w.book.differ {
		p.w.problem("run", fmt.Sprintf("entry %d was committed twice, in two terms", index))
	}
	return err
}
