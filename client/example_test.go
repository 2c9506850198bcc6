package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// Publish one message and wait until it is on disk at a majority.
func Example() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700,127.0.0.1:7710,127.0.0.1:7720")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.CreateQueue(ctx, "orders", client.QueueSettings{}); err != nil {
		log.Fatal(err)
	}
	receipt, err := conn.Publish(ctx, "orders", client.Message{
		Body:        []byte(`{"order":1}`),
		ContentType: "application/json",
		Header:      client.Header{"source": {"web"}},
	})
	switch {
	case errors.Is(err, client.ErrUnknownOutcome):
		fmt.Println("it may have been taken: look before you publish it again")
	case errors.Is(err, client.ErrBusy):
		fmt.Println("the queue is full")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("confirmed as", receipt.ID)
	}
}

// Publish many messages without waiting for each; the callbacks come in order.
func ExampleConn_PublishAsync() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700", client.WithMaxInFlight(4096, 16<<20))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for i := range 100_000 {
		err := conn.PublishAsync(ctx, "orders", client.Message{Body: fmt.Append(nil, i)},
			func(_ client.Receipt, err error) {
				if err != nil {
					log.Printf("order %d: %v", i, err)
				}
			})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := conn.Flush(ctx); err != nil {
		log.Fatal(err)
	}
}

// Work on messages with eight handlers at once.
func ExampleConn_Consume() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	consumer, err := conn.Consume(ctx, "orders", func(ctx context.Context, d *client.Delivery) error {
		if len(d.Body) == 0 {
			return client.Permanent(errors.New("empty order")) // to the dead-letter queue
		}
		return store(ctx, d.ID.String(), d.Body) // nil acks, an error is another attempt
	}, client.WithConcurrency(8), client.WithPrefetch(64))
	if err != nil {
		log.Fatal(err)
	}
	time.Sleep(time.Minute)
	if err := consumer.Stop(ctx); err != nil {
		log.Fatal(err)
	}
}

// Take messages in a loop and settle each.
func ExampleConn_Messages() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for d, err := range conn.Messages(ctx, "orders") {
		if err != nil {
			log.Print(err)
			break
		}
		if err := d.Ack(ctx); errors.Is(err, client.ErrLeaseLost) {
			log.Printf("%s is somebody else's now", d.ID)
		}
	}
}

// Hand an order over exactly once: the next step is published in the same
// entry of the log that settles this one.
func ExampleTx() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	consumer, err := conn.Consume(ctx, "payments", func(ctx context.Context, d *client.Delivery) error {
		tx := conn.NewTx()
		tx.Ack(d)
		tx.Publish("shipping", client.Message{Body: d.Body, GroupKey: d.GroupKey})
		_, err := tx.Commit(ctx) // nothing is acked unless this is nil
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	<-consumer.Done()
}

// Ask for a price, and answer such questions.
func ExampleConn_Request() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.Respond(ctx, "prices", func(ctx context.Context, d *client.Delivery) (client.Message, error) {
		return client.Message{Body: []byte("9.99 for " + string(d.Body))}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := conn.Request(ctx, "prices", client.Message{Body: []byte("tea")},
		client.WithRequestDeadline(2*time.Second))
	switch {
	case errors.Is(err, client.ErrNoResponders):
		fmt.Println("nobody knows prices now")
	case errors.Is(err, client.ErrExpired):
		fmt.Println("nobody was fast enough")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(string(answer.Body))
	}
}

// Send dead letters back to where they came from, fifty a second.
func ExampleConn_Redrive() {
	ctx := context.Background()
	conn, err := client.Dial(ctx, "ferry://127.0.0.1:7700")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	result, err := conn.Redrive(ctx, client.RedriveOptions{
		From: "orders.dlq", Rate: 50, Reset: true,
		Filter: client.Filter{YoungerThan: 24 * time.Hour},
	})
	if err != nil {
		log.Print(err) // what was moved is moved, the rest is where it was
	}
	fmt.Printf("%d of %d moved\n", result.Moved, result.Matched)
}

func store(ctx context.Context, id string, body []byte) error { return ctx.Err() }
