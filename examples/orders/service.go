package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// service is what all services have: a connection, and the world outside.
type service struct {
	conn    *client.Conn
	outside outside
}

// services by name. Any number of processes may run the same one.
var services = map[string]func(*service) ([]*client.Consumer, error){
	"order":        (*service).order,
	"pricing":      (*service).pricing,
	"payment":      (*service).payment,
	"inventory":    (*service).inventory,
	"shipping":     (*service).shipping,
	"email":        (*service).email,
	"notification": (*service).notification,
}

// stopTime is how long a service that is told to end may go on with what it has
// begun.
const stopTime = 5 * time.Second

// serve runs a service until the process is told to end. A process that is killed
// instead loses nothing: what it held is given to another one.
func serve(kind, url, outsideURL string) error {
	start := services[kind]
	if start == nil {
		return fmt.Errorf("no service %q: there are %s", kind, strings.Join(slices.Sorted(maps.Keys(services)), ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	conn, err := client.Dial(ctx, url, client.WithName(kind))
	if err != nil {
		return err
	}
	consumers, err := start(&service{conn: conn, outside: outside(outsideURL)})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	log.Printf("%s: works", kind)
	ended := make(chan error, len(consumers))
	for _, k := range consumers {
		go func() {
			<-k.Done()
			ended <- k.Err()
		}()
	}
	select {
	case <-ctx.Done():
	case err = <-ended: // of itself: its queue is gone, say
	}
	bound, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return errors.Join(err, conn.Drain(bound)) // finish what is begun, hand back the rest
}

// consume runs a handler on a queue.
func (s *service) consume(queue string, h client.Handler, opts ...client.ConsumeOption) (*client.Consumer, error) {
	opts = append(opts, client.WithErrorFunc(func(err error) { log.Printf("%s: %v", queue, err) }))
	return s.conn.Consume(context.Background(), queue, func(ctx context.Context, d *client.Delivery) error {
		err := h(ctx, d)
		if err != nil {
			log.Printf("%s: order %s, attempt %d: %v", queue, d.CorrelationID, d.Attempt, err)
		}
		return err
	}, opts...)
}

// commit ends a step. One that could not be confirmed is not the order's fault:
// it is tried again and not counted. Its Tx either was done, then the delivery is
// gone and nothing is tried again, or it was not done at all.
func commit(ctx context.Context, tx *client.Tx) error {
	_, err := tx.Commit(ctx)
	return client.Downstream(err)
}

// refuse ends an order: a dead letter with its reason, and the customer is told,
// in one step.
func (s *service) refuse(ctx context.Context, tx *client.Tx, d *client.Delivery, o Order, reason string) error {
	tx.Reject(d, reason)
	tx.Publish(orders, event("order.refused", o))
	return commit(ctx, tx)
}
