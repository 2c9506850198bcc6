package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// keyOf is the key of a line in the history. Bodies are the lines themselves,
// and begin with their number instead.
func keyOf(line int) history.Key {
	return history.Key{Producer: uint32(line%producers) + 1, Seq: uint64(line) + 1}
}

// op begins an operation of a client.
func op(id uint32, kind history.Kind, line int) history.Op {
	return history.Op{Client: id, Workload: queue, Queue: queue, Kind: kind, Key: keyOf(line)}
}

// dial connects a client, under a number of its own, and has the end of its
// session written down: what it had goes to others then.
func (s *show) dial(ctx context.Context, i int, opts ...client.Option) (conn *client.Conn, id uint32, err error) {
	id = s.rec.Client()
	note := func(_ client.State, err error) {
		if errors.Is(err, client.ErrSessionExpired) || errors.Is(err, client.ErrFenced) {
			s.rec.Event(history.Op{Client: id, Workload: queue, Kind: history.Gone, Error: err.Error()})
		}
	}
	conn, err = client.Dial(ctx, s.cluster.URL(i), append(opts, client.WithStateFunc(note))...)
	return conn, id, err
}

// produce publishes every line whose number is i, modulo the producers.
func (s *show) produce(ctx context.Context, i int) {
	conn, id, err := s.dial(ctx, i, client.WithName(fmt.Sprintf("producer-%d", i)))
	if err != nil {
		s.fail(err)
		return
	}
	var answers sync.WaitGroup
	for n := i; n < len(s.file.lines) && ctx.Err() == nil; n += producers {
		place := s.rec.Invoke(op(id, history.Publish, n))
		told := func(r client.Receipt, err error) {
			s.rec.Complete(place, workload.OutcomeOf(err), func(o *history.Op) { o.At = history.Witness(r.ID) })
			if err != nil {
				s.fail(fmt.Errorf("publish line %d: %w", n, err))
			}
		}
		answers.Add(1)
		err := conn.PublishAsync(ctx, queue, client.Message{Body: s.file.lines[n]}, func(r client.Receipt, err error) {
			defer answers.Done()
			told(r, err)
		})
		if err != nil {
			answers.Done()
			told(client.Receipt{}, err)
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
	conn, id, err := s.dial(ctx, i, client.WithName(fmt.Sprintf("consumer-%d", i)), client.WithFollowLeader(false))
	if err != nil {
		s.fail(err)
		return
	}
	consumer := s.rec.Consumer()
	var answers sync.WaitGroup
	for d, err := range conn.Messages(ctx, queue, client.WithPrefetch(prefetch)) {
		if err != nil {
			if ctx.Err() == nil {
				s.fail(fmt.Errorf("consumer %d: %w", i, err))
			}
			break
		}
		s.take(d, id, consumer, &answers)
	}
	answers.Wait()
	if err := conn.Close(); err != nil {
		s.fail(err)
	}
}

// take writes a delivery down and acks it.
func (s *show) take(d *client.Delivery, id, consumer uint32, answers *sync.WaitGroup) {
	n, err := s.file.lineOf(d.Body)
	if err != nil {
		s.fail(err)
		return
	}
	o := op(id, history.Deliver, n)
	o.ID, o.Consumer, o.Token = history.Witness(d.ID), consumer, d.Token
	o.Attempt, o.Failures, o.Redelivered = d.Attempt, d.Failures, d.Redelivered
	s.rec.Event(o)
	o.Kind = history.Ack
	place := s.rec.Invoke(o)
	answers.Add(1)
	d.AckAsync(func(err error) {
		defer answers.Done()
		s.rec.Complete(place, workload.OutcomeOf(err), nil)
	})
}
