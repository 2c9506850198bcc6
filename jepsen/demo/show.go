package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// show is one run.
type show struct {
	file    *file
	cluster *nodes.Cluster
	admin   *client.Conn
	rec     *history.Recorder
	screen  *screen

	mu   sync.Mutex
	errs []error
}

func (s *show) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

func (s *show) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

func (s *show) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.screen = newScreen(len(s.file.lines), s.rec)
	var producing, consuming sync.WaitGroup
	defer consuming.Wait()
	defer cancel()
	for i := range consumers {
		consuming.Go(func() { s.consume(ctx, i) })
	}
	for i := range producers {
		producing.Go(func() { s.produce(ctx, i) })
	}
	kill, gap, err := s.killLeader(ctx)
	producing.Wait()
	if err = errors.Join(err, s.failure()); err != nil {
		s.screen.stop()
		return err
	}
	info, err := s.drained(ctx)
	s.screen.stop()
	if err != nil {
		return err
	}
	run := &history.Run{Began: s.rec.Began(), Drained: s.rec.Now(), Faults: []history.Fault{kill}}
	cancel()
	consuming.Wait()
	return s.report(run, info, gap)
}

// killLeader waits for its moment, kills, waits until publishes are confirmed
// again, and starts the node again.
func (s *show) killLeader(ctx context.Context) (f history.Fault, gap time.Duration, err error) {
	if err := s.awaitConfirmed(ctx, int64(len(s.file.lines)*killAtPercent/100)); err != nil {
		return f, 0, err
	}
	victim, _, err := s.cluster.Leader(ctx, s.admin)
	if err != nil {
		return f, 0, err
	}
	s.rec.Gap() // what was before is none
	counts := s.rec.Counts()
	pid := victim.Pid()
	f = history.Fault{Name: "kill", Nodes: []string{victim.Name}, From: s.rec.Now(), Leader: true}
	if err := victim.Kill(); err != nil {
		return f, 0, err
	}
	f.Bites = []history.Bite{{What: "processes killed", Count: 1}}
	old := s.rec.Counts().Attempted
	s.screen.say("SIGKILL to %s (process %d), which leads: %d of %d lines are confirmed",
		victim.Name, pid, counts.Confirmed, len(s.file.lines))
	// With more confirms than were asked for by then, one is of a publish that
	// began after the kill: those that were on their way say nothing.
	if err := s.awaitConfirmed(ctx, min(old+1, int64(len(s.file.lines)))); err != nil {
		return f, 0, err
	}
	gap = s.rec.Gap()
	s.screen.say("publishes are confirmed again; the gap was %d ms", gap.Milliseconds())
	if err := victim.Start(); err != nil {
		return f, gap, err
	}
	if err := victim.Ready(ctx); err != nil {
		return f, gap, err
	}
	f.To = s.rec.Now()
	s.screen.say("%s is back as process %d", victim.Name, victim.Pid())
	return f, gap, nil
}

// poll is how often something that is waited for is looked at.
const poll = 10 * time.Millisecond

// errFailed says that a client failed, which is told with what the clients tell.
var errFailed = errors.New("a client failed")

// await waits until something is met, and not longer than all is well.
func (s *show) await(ctx context.Context, met func() bool, what string) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !met() {
		if s.failure() != nil {
			return fmt.Errorf("waiting for %s: %w", what, errFailed)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s, with %+v: %w", what, s.rec.Counts(), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func (s *show) awaitConfirmed(ctx context.Context, n int64) error {
	return s.await(ctx, func() bool { return s.rec.Counts().Confirmed >= n }, fmt.Sprintf("%d confirms", n))
}

// drained waits until the queue is empty and every operation has its answer,
// and returns the queue as it is then.
func (s *show) drained(ctx context.Context) (info client.QueueInfo, err error) {
	err = s.await(ctx, func() bool {
		q, err := s.admin.Queue(ctx, queue)
		info = q
		return err == nil && q.Ready+q.Leased+q.Parked == 0 && s.rec.Counts().Open == 0
	}, "an empty queue")
	return info, err
}
