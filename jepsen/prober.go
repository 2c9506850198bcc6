//go:build linux

package jepsen

import (
	"context"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// probeEvery is how often each node is asked how it is.
const probeEvery = 200 * time.Millisecond

// prober asks every node, all the time, who leads and how far it is. Its
// connections stay at their node.
type prober struct {
	rec *history.Recorder

	mu     sync.Mutex
	probes []history.Probe

	stop  context.CancelFunc
	ended sync.WaitGroup
}

// startProber begins; names and urls are the nodes'.
func startProber(ctx context.Context, rec *history.Recorder, urls map[string]string) *prober {
	p := &prober{rec: rec}
	ctx, p.stop = context.WithCancel(ctx)
	for name, url := range urls {
		p.ended.Go(func() { p.watch(ctx, name, url) })
	}
	return p
}

func (p *prober) watch(ctx context.Context, name, url string) {
	var conn *client.Conn
	for conn == nil {
		c, err := client.Dial(ctx, url, client.WithFollowLeader(false), client.WithName("prober"))
		switch {
		case err == nil:
			conn = c
		case ctx.Err() != nil:
			return
		}
	}
	defer conn.Close() // it held nothing
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		p.note(probe(ctx, p.rec, conn, name))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *prober) note(x history.Probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes = append(p.probes, x)
}

// end stops asking and gives what was answered.
func (p *prober) end() []history.Probe {
	p.stop()
	p.ended.Wait()
	return p.probes
}

// probeWithin bounds one question; a node that does not answer is a finding.
const probeWithin = time.Second

func probe(ctx context.Context, rec *history.Recorder, conn *client.Conn, name string) history.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	x := history.Probe{At: rec.Now(), Node: name}
	info, err := conn.Cluster(ctx, client.Stale())
	switch {
	case err != nil:
		x.Error = err.Error()
	case len(info.Groups) == 0:
		x.Error = "no group"
	default:
		g := info.Groups[0]
		x.Leader, x.Term, x.Applied, x.Commit, x.Digest = g.Leader, g.Term, g.AppliedIndex, g.CommitIndex, g.Digest
	}
	return x
}
