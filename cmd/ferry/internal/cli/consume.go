package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
)

// consumeFlags are the flags of `ferry consume`.
type consumeFlags struct {
	count      uint64
	follow     bool
	ack        bool
	noAck      bool
	prefetch   int
	idle       time.Duration
	nack       string
	reject     string
	delay      time.Duration
	downstream bool
	shutdown   bool
	settleBy   string // the flag that says how, "" for none
	consumer   []client.ConsumeOption
}

const (
	consumePrefetch = 256
	maxIdle         = 10 * 366 * 24 * time.Hour

	settleNack   = "nack"
	settleReject = "reject"
)

func (a *app) consume() *cobra.Command {
	f := &consumeFlags{}
	c := &cobra.Command{
		Use:   "consume QUEUE",
		Short: "Print and ack messages",
		Long: "Print each message on a line of its own and ack it once it is written. Without\n" +
			"--follow it ends when nothing more came for --idle; with --count after so many\n" +
			"messages. With --no-ack the queue forgets a message when it hands it out\n" +
			"(at most once); with --ack=false it is given back when the command ends.\n\n" +
			"--nack gives each message back for another attempt, --reject dead-letters it.",
		Example: "  ferry consume orders --follow -o json\n" +
			"  ferry consume orders --count 1 --reject 'no such customer'",
	}
	flags := c.Flags()
	flags.Uint64VarP(&f.count, "count", "n", 0, "end after so many messages; 0: no limit")
	flags.BoolVar(&f.follow, "follow", false, "wait for more until interrupted")
	flags.BoolVar(&f.ack, "ack", true, "ack what was printed")
	flags.BoolVar(&f.noAck, "no-ack", false, "consume without acks: at most once")
	flags.IntVar(&f.prefetch, "prefetch", consumePrefetch, "messages held unsettled")
	flags.DurationVar(&f.idle, "idle", time.Second, "without --follow: end when nothing came for so long")
	flags.StringVar(&f.nack, settleNack, "", "give each message back for another attempt, with this error")
	flags.StringVar(&f.reject, settleReject, "", "dead-letter each message, with this reason")
	flags.DurationVar(&f.delay, "delay", 0, "with --nack: next attempt after so long, not as the queue says")
	flags.BoolVar(&f.downstream, "downstream", false, "with --nack: not the message's fault, but of a service it needs")
	flags.BoolVar(&f.shutdown, "shutdown", false, "with --nack: nobody's fault, as when a consumer stops")
	consumer := addConsumer(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.check(flags); err != nil {
			return err
		}
		var err error
		if f.consumer, err = consumer.options(); err != nil {
			return err
		}
		return a.runConsume(cmd.Context(), f, args[0])
	}
	return a.remote(c)
}

func (f *consumeFlags) check(flags *pflag.FlagSet) error {
	settles := 0
	for _, name := range []string{"ack", "no-ack", settleNack, settleReject} {
		if flags.Changed(name) {
			settles++
			f.settleBy = name
		}
	}
	switch {
	case settles > 1:
		return usagef("consume: --ack, --no-ack, --nack and --reject exclude each other")
	case (flags.Changed("delay") || f.downstream || f.shutdown) && f.settleBy != settleNack:
		return usagef("consume: --delay, --downstream and --shutdown say more about a --nack")
	case f.downstream && f.shutdown:
		return usagef("consume: --downstream and --shutdown exclude each other")
	case f.noAck && flags.Changed("lease"):
		return usagef("consume: --lease: there is none with --no-ack")
	case f.follow && flags.Changed("idle"):
		return usagef("consume: --idle ends what --follow does not")
	}
	return mistakes(
		within("prefetch", f.prefetch, 1, client.MaxPrefetch),
		within("delay", f.delay, 0, client.MaxNackDelay),
		within("idle", f.idle, time.Millisecond, maxIdle))
}

// settle is what becomes of a printed message; nil: it is acked.
func (f *consumeFlags) settle() func(context.Context, *client.Delivery) error {
	switch f.settleBy {
	case settleReject:
		return func(ctx context.Context, d *client.Delivery) error { return d.Reject(ctx, f.reject) }
	case settleNack:
		opts := []client.NackOption{client.WithError(f.nack), client.WithDelay(f.delay)}
		switch {
		case f.downstream:
			opts = append(opts, client.WithReason(client.ReasonDownstream))
		case f.shutdown:
			opts = append(opts, client.WithReason(client.ReasonShutdown))
		}
		return func(ctx context.Context, d *client.Delivery) error { return d.Nack(ctx, opts...) }
	}
	return nil
}

func (f *consumeFlags) options() []client.ConsumeOption {
	prefetch := f.prefetch
	if f.count > 0 && f.count < uint64(f.prefetch) {
		prefetch = int(f.count)
	}
	opts := append([]client.ConsumeOption{client.WithPrefetch(prefetch)}, f.consumer...)
	if f.noAck {
		opts = append(opts, client.WithoutAcks(), client.WithLimit(f.count)) // it has nothing left to lose when it ends
	}
	return opts
}

func (a *app) runConsume(ctx context.Context, f *consumeFlags, queue string) error {
	conn, err := a.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(a.printMessages(ctx, conn, f, queue), conn.Close())
}

// printMessages prints and settles what a queue hands out.
func (a *app) printMessages(ctx context.Context, conn *client.Conn, f *consumeFlags, queue string) error {
	patience, err := a.timeout()
	if err != nil {
		return err
	}
	p := &printer{app: a, flags: f, out: bufio.NewWriterSize(a.Out, 64<<10), idle: newIdleness(f.idle, patience)}
	err = p.run(ctx, conn, queue)
	flush := p.flush()
	p.acks.Wait()
	// Being told to stop is how following ends.
	if errors.Is(err, context.Canceled) && ctx.Err() != nil && f.follow {
		err = nil
	}
	return errors.Join(err, flush, p.settled())
}

// printer writes deliveries and acks those that are surely written.
type printer struct {
	app     *app
	flags   *consumeFlags
	out     *bufio.Writer
	printed uint64
	idle    *idleness
	asked   bool               // whether the leader is there, since the last message or attachment
	waiting []*client.Delivery // printed into the buffer, not acked
	acks    sync.WaitGroup

	mu     sync.Mutex
	failed error // first settle that was refused
}

// ackBatch is how many messages are printed before they are flushed and acked.
const ackBatch = 128

// run prints until the count, idleness or the end of ctx.
func (p *printer) run(ctx context.Context, conn *client.Conn, queue string) error {
	deliveries := make(chan *client.Delivery)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ended error
	go func() {
		defer close(deliveries)
		ended = receive(ctx, conn, queue, append(p.flags.options(), client.WithAttachedFunc(p.idle.tell)), deliveries)
	}()
	idle := time.NewTimer(0)
	defer idle.Stop()
	for {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return ended
			}
			if err := p.print(d, len(p.waiting)+1 >= ackBatch); err != nil {
				return p.stop(err, cancel, deliveries)
			}
			if p.flags.count > 0 && p.printed >= p.flags.count {
				return p.stop(nil, cancel, deliveries)
			}
			p.idle.came()
			p.asked = false
			idle.Reset(flushAfter)
		case <-p.idle.changed:
			p.asked = false // who answered may lead no more
			idle.Reset(0)
		case <-idle.C:
			more, err := p.quiet(ctx, conn, queue, idle)
			if err != nil || !more {
				return p.stop(err, cancel, deliveries)
			}
		}
	}
}

const (
	// flushAfter is how long printed messages may sit in the buffer.
	flushAfter = 5 * time.Millisecond
	// lastLook is how long what came with a leader's answer may take to get here.
	lastLook = 100 * time.Millisecond
)

// quiet is reached when nothing came for a moment. It tells whether to go on.
func (p *printer) quiet(ctx context.Context, conn *client.Conn, queue string, idle *time.Timer) (more bool, err error) {
	if err := p.flush(); err != nil {
		return false, err
	}
	if p.flags.follow {
		idle.Reset(time.Hour)
		return true, nil
	}
	left, attached := p.idle.left()
	switch {
	case left > 0:
		idle.Reset(left)
		return true, nil
	case !attached:
		return false, fmt.Errorf("not attached to the queue's leader for %v, so messages may wait: %w", p.idle.patience, errUnavailable)
	case p.asked:
		return false, nil
	}
	// A leader that hangs, or was cut off a moment ago, hands nothing out either.
	ask, cancel := context.WithTimeout(ctx, p.idle.patience)
	defer cancel()
	if _, err := conn.Queue(ask, queue); err != nil {
		return false, fmt.Errorf("whether messages wait: %w", err)
	}
	p.asked = true // what was held up together with the answer comes first
	idle.Reset(lastLook)
	return true, nil
}

// stop ends the receiver and waits for it; what it still has goes back.
func (p *printer) stop(err error, cancel context.CancelFunc, deliveries <-chan *client.Delivery) error {
	err = errors.Join(err, p.flush())
	cancel()
	for range deliveries {
	}
	return err
}

// receive hands on deliveries until ctx ends.
func receive(ctx context.Context, conn *client.Conn, queue string, opts []client.ConsumeOption, to chan<- *client.Delivery) error {
	for d, err := range conn.Messages(ctx, queue, opts...) {
		if err != nil {
			return err
		}
		select {
		case to <- d:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (p *printer) print(d *client.Delivery, flush bool) error {
	if err := p.write(d); err != nil {
		return err
	}
	p.printed++
	if p.flags.ack && !p.flags.noAck {
		p.waiting = append(p.waiting, d)
	}
	if flush {
		return p.flush()
	}
	return nil
}

func (p *printer) write(d *client.Delivery) error {
	if p.app.json() {
		return printJSON(p.out, viewDelivery(d))
	}
	if _, err := p.out.Write(d.Body); err != nil {
		return err
	}
	return p.out.WriteByte('\n')
}

// flush writes everything out, then acks it: what is acked was written.
func (p *printer) flush() error {
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	settle := p.flags.settle()
	for _, d := range p.waiting {
		if settle != nil {
			p.acks.Go(func() { p.note(settle(context.Background(), d)) })
			continue
		}
		p.acks.Add(1)
		d.AckAsync(func(err error) {
			defer p.acks.Done()
			p.note(err)
		})
	}
	p.waiting = p.waiting[:0]
	return nil
}

// note keeps the first settle that was refused.
func (p *printer) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.failed == nil {
		p.failed = fmt.Errorf("printed, but not settled: %w", err)
	}
}

func (p *printer) settled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}
