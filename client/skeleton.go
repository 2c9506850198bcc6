package client

import (
	"context"
	"iter"
	"time"
)

type identity struct{ id, secret [16]byte }

type State int

const (
	Connecting State = iota
	Connected
	Reconnecting
	Closed
)

func (s State) String() string { return "" }

type Conn struct{ o options }

func Dial(ctx context.Context, url string, opts ...Option) (*Conn, error) { return nil, ErrClosed }
func (c *Conn) State() State                                              { return Closed }
func (c *Conn) Session() (id, secret [16]byte)                            { return }
func (c *Conn) Node() string                                              { return "" }
func (c *Conn) Ping(ctx context.Context) (time.Duration, error)           { return 0, ErrClosed }
func (c *Conn) Flush(ctx context.Context) error                           { return ErrClosed }
func (c *Conn) Drain(ctx context.Context) error                           { return ErrClosed }
func (c *Conn) Close() error                                              { return nil }
func (c *Conn) Publish(ctx context.Context, queue string, m Message) (Receipt, error) {
	return Receipt{}, ErrClosed
}
func (c *Conn) PublishBatch(ctx context.Context, queue string, ms []Message) ([]PublishResult, error) {
	return nil, ErrClosed
}
func (c *Conn) PublishAsync(ctx context.Context, queue string, m Message, done func(Receipt, error)) error {
	return ErrClosed
}

type Delivery struct {
	Message
	Queue       string
	ID          MessageID
	Attempt     int
	Failures    int
	Token       uint64
	Redelivered bool
	EnqueuedAt  time.Time
	LeaseUntil  time.Time
	Death       *Death
}

func (d *Delivery) Context() context.Context                           { return nil }
func (d *Delivery) Ack(ctx context.Context) error                      { return ErrClosed }
func (d *Delivery) AckAsync(done func(error))                          {}
func (d *Delivery) Nack(ctx context.Context, opts ...NackOption) error { return ErrClosed }
func (d *Delivery) Reject(ctx context.Context, reason string) error    { return ErrClosed }
func (d *Delivery) Extend(ctx context.Context) error                   { return ErrClosed }

type nackOptions struct{}
type NackOption func(*nackOptions)
type Reason uint8

const (
	ReasonMessage    Reason = 1
	ReasonDownstream Reason = 2
	ReasonShutdown   Reason = 3
)

func WithReason(r Reason) NackOption   { return nil }
func WithError(text string) NackOption { return nil }

type Handler func(ctx context.Context, d *Delivery) error

func Permanent(err error) error { return err }

type Consumer struct{}

func (k *Consumer) Stop(ctx context.Context) error { return ErrClosed }
func (k *Consumer) Done() <-chan struct{}          { return nil }
func (k *Consumer) Err() error                     { return ErrClosed }

func (c *Conn) Consume(ctx context.Context, queue string, h Handler, opts ...ConsumeOption) (*Consumer, error) {
	return nil, ErrClosed
}
func (c *Conn) Messages(ctx context.Context, queue string, opts ...ConsumeOption) iter.Seq2[*Delivery, error] {
	return nil
}

type DeleteOption func(*deleteOptions)
type deleteOptions struct{ ifEmpty, ifUnused bool }
type ReadOption func(*readOptions)
type readOptions struct{ stale bool }

func IfEmpty() DeleteOption  { return func(o *deleteOptions) { o.ifEmpty = true } }
func IfUnused() DeleteOption { return func(o *deleteOptions) { o.ifUnused = true } }
func Stale() ReadOption      { return func(o *readOptions) { o.stale = true } }

func (c *Conn) CreateQueue(ctx context.Context, name string, s QueueSettings) error { return ErrClosed }
func (c *Conn) UpdateQueue(ctx context.Context, name string, s QueueSettings) error { return ErrClosed }
func (c *Conn) DeleteQueue(ctx context.Context, name string, opts ...DeleteOption) error {
	return ErrClosed
}
func (c *Conn) PurgeQueue(ctx context.Context, name string) (uint64, error) { return 0, ErrClosed }
func (c *Conn) PauseQueue(ctx context.Context, name string) error           { return ErrClosed }
func (c *Conn) ResumeQueue(ctx context.Context, name string) error          { return ErrClosed }
func (c *Conn) Queue(ctx context.Context, name string, opts ...ReadOption) (QueueInfo, error) {
	return QueueInfo{}, ErrClosed
}
func (c *Conn) Queues(ctx context.Context, prefix string, opts ...ReadOption) iter.Seq2[QueueInfo, error] {
	return nil
}
func (c *Conn) Cluster(ctx context.Context, opts ...ReadOption) (ClusterInfo, error) {
	return ClusterInfo{}, ErrClosed
}
func (c *Conn) TransferLeader(ctx context.Context, node string) error { return ErrClosed }
func (c *Conn) RemoveNode(ctx context.Context, node string) error     { return ErrClosed }
