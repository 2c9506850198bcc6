package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// show is one run.
type show struct {
	file    *file
	cluster *nodes.Cluster
	admin   *client.Conn
	history *jepsen.History
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
	s.screen = newScreen(len(s.file.lines), s.history)
	var producing, consuming sync.WaitGroup
	defer consuming.Wait()
	defer cancel()
	for i := range consumers {
		consuming.Go(func() { s.consume(ctx, i) })
	}
	for i := range producers {
		producing.Go(func() { s.produce(ctx, i) })
	}
	gap, err := s.killLeader(ctx)
	producing.Wait()
	if err = errors.Join(err, s.failure()); err != nil {
		s.screen.stop()
		return err
	}
	info, err := s.history.Drained(ctx, s.admin, queue)
	s.screen.stop()
	if err != nil {
		return err
	}
	cancel()
	consuming.Wait()
	return s.report(info, gap)
}

// killLeader waits for its moment, kills, waits until publishes are confirmed
// again, and starts the node again.
func (s *show) killLeader(ctx context.Context) (jepsen.Gap, error) {
	if err := s.history.AwaitConfirmed(ctx, len(s.file.lines)*killAtPercent/100); err != nil {
		return jepsen.Gap{}, err
	}
	victim, _, err := s.cluster.Leader(ctx, s.admin)
	if err != nil {
		return jepsen.Gap{}, err
	}
	s.history.ResetGap()
	counts := s.history.Counts()
	pid := victim.Pid()
	if err := victim.Kill(); err != nil {
		return jepsen.Gap{}, err
	}
	s.history.Mark()
	s.screen.say("SIGKILL to %s (process %d), which leads: %d of %d lines are confirmed",
		victim.Name, pid, counts.Confirmed, len(s.file.lines))
	if err := s.history.AwaitMarked(ctx); err != nil {
		return jepsen.Gap{}, err
	}
	gap := s.history.Widest()
	s.screen.say("publishes are confirmed again; the gap was %d ms", gap.Length().Milliseconds())
	if err := victim.Start(); err != nil {
		return gap, err
	}
	if err := victim.Ready(ctx); err != nil {
		return gap, err
	}
	s.screen.say("%s is back as process %d", victim.Name, victim.Pid())
	return gap, nil
}

// produce publishes every line whose number is i, modulo the producers.
func (s *show) produce(ctx context.Context, i int) {
	conn, err := client.Dial(ctx, s.cluster.URL(i), client.WithName(fmt.Sprintf("producer-%d", i)))
	if err != nil {
		s.fail(err)
		return
	}
	var answers sync.WaitGroup
	for n := i; n < len(s.file.lines) && ctx.Err() == nil; n += producers {
		k := jepsen.Key{Seq: uint64(n)}
		s.history.Attempt(k)
		answers.Add(1)
		err := conn.PublishAsync(ctx, queue, client.Message{Body: s.file.lines[n]}, func(r client.Receipt, err error) {
			defer answers.Done()
			if err != nil {
				s.history.Published(k, jepsen.OutcomeOf(err), "")
				s.fail(fmt.Errorf("publish line %d: %w", n, err))
				return
			}
			s.history.Published(k, jepsen.Confirmed, r.ID.String())
		})
		if err != nil {
			answers.Done()
			s.fail(err)
			break
		}
	}
	answers.Wait()
	if err := conn.Close(); err != nil {
		s.fail(err)
	}
}

// prefetch of a consumer.
const prefetch = 512

// consume takes lines, each on its own node, until the context ends.
func (s *show) consume(ctx context.Context, i int) {
	conn, err := client.Dial(ctx, s.cluster.URL(i), client.WithName(fmt.Sprintf("consumer-%d", i)), client.WithFollowLeader(false))
	if err != nil {
		s.fail(err)
		return
	}
	var answers sync.WaitGroup
	for d, err := range conn.Messages(ctx, queue, client.WithPrefetch(prefetch)) {
		if err != nil {
			if ctx.Err() == nil {
				s.fail(fmt.Errorf("consumer %d: %w", i, err))
			}
			break
		}
		s.take(d, uint32(i), &answers)
	}
	answers.Wait()
	if err := conn.Close(); err != nil {
		s.fail(err)
	}
}

func (s *show) take(d *client.Delivery, consumer uint32, answers *sync.WaitGroup) {
	n, err := s.file.lineOf(d.Body)
	if err != nil {
		s.fail(err)
		return
	}
	k := jepsen.Key{Seq: uint64(n)}
	s.history.Delivered(k, jepsen.Seen{
		Consumer: consumer, Attempt: d.Attempt, Token: d.Token, Redelivered: d.Redelivered, ID: d.ID.String(),
	})
	s.history.Acking(k, d.Token)
	answers.Add(1)
	d.AckAsync(func(err error) {
		defer answers.Done()
		s.history.Acked(k, d.Token, jepsen.OutcomeOf(err))
	})
}

// report prints what came of every line, for people and, at last, for programs.
func (s *show) report(info client.QueueInfo, gap jepsen.Gap) error {
	a := jepsen.Judge(s.history, jepsen.Floors{Confirmed: len(s.file.lines), Delivered: len(s.file.lines), Acked: len(s.file.lines)})
	err := errors.Join(s.failure(), a.Err(), a.Conserved(info))
	for _, row := range []struct {
		what  string
		count int
	}{
		{"published", a.Published}, {"confirmed", a.Confirmed}, {"consumed", a.Consumed}, {"redelivered, and flagged so", a.Redelivered},
		{"lost", len(a.Lost)}, {"duplicated beyond redelivery", len(a.Duplicated)},
	} {
		fmt.Printf("%-30s %8d\n", row.what, row.count)
	}
	fmt.Printf("%-30s %8d ms\n", "gap around the failover", gap.Length().Milliseconds())
	verdict := "ok"
	if err != nil {
		verdict = "FAILED"
	} else {
		fmt.Printf("what arrived is the file, line for line: %d of %d lines\n", a.Consumed, len(s.file.lines))
	}
	fmt.Printf("demo: published=%d confirmed=%d consumed=%d redelivered=%d lost=%d duplicated=%d gap_ms=%d %s\n",
		a.Published, a.Confirmed, a.Consumed, a.Redelivered, len(a.Lost), len(a.Duplicated), gap.Length().Milliseconds(), verdict)
	return err
}

// refresh is how often the screen is drawn.
const refresh = 100 * time.Millisecond
