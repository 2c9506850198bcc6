//go:build linux

package jepsen

import (
	"context"
	"sync"
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// What users build on holds from end to end, through the client, while leaders
// are killed: several patterns at once, each on queues of its own, on one
// cluster of three processes. Each goes on until killsWanted leaders have died
// under it and it has seen what it is about.
func TestUnderKills(t *testing.T) {
	s := startFor(t, nodes.Options{}, killsMax)
	k := newKiller(s)
	ctx, cancel := context.WithCancel(s.ctx)
	var playing sync.WaitGroup
	defer playing.Wait()
	defer cancel() // the killer failed: nobody waits for it any more
	for name, play := range map[string]func(*scene){
		"Pipeline":     pipelineUnderKills,
		"AtMostOnce":   atMostOnceUnderKills,
		"GroupOrder":   groupOrderUnderKills,
		"Timed":        timedUnderKills,
		"RequestReply": requestReplyUnderKills,
		"Breaker":      breakerUnderKills,
		"Redrive":      redriveUnderKills,
		"FanOut":       fanOutUnderKills,
		"Trace":        traceUnderKills,
	} {
		playing.Go(func() {
			// Not by Parallel: they wait for each other's kills more than they work.
			t.Run(name, func(t *testing.T) { play(newScene(t, ctx, s, k)) })
		})
	}
	over := make(chan struct{})
	go func() {
		playing.Wait()
		close(over)
	}()
	k.run(over)
	s.sameEverywhere()
}
