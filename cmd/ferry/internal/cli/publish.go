package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// publishFlags are the flags of `ferry publish`.
type publishFlags struct {
	input
	message   *messageFlags
	lines     bool
	noConfirm bool
}

func (a *app) publish() *cobra.Command {
	p := &publishFlags{}
	c := &cobra.Command{
		Use:   "publish QUEUE [MESSAGE]",
		Short: "Publish messages to a queue or topic",
		Long: "Publish one message: the argument, the whole of --file, or the whole of standard\n" +
			"input. With --lines every line of the file or of standard input is a message.\n" +
			"The command ends with 0 only if every message is confirmed. A topic gives the\n" +
			"message to every subscription whose filter matches --subject.\n\n" +
			"With --no-confirm each message is sent once, at most once delivered, and lost if the\n" +
			"queue refuses it or the connection or a leader is lost: 0 means that it was sent.",
		Example: "  ferry publish orders 'hello'\n" +
			"  ferry publish orders --file order.json --content-type application/json\n" +
			"  ferry publish orders 'remind me' --delay 24h\n" +
			"  ferry publish events --subject order.created '{\"id\": 7}'\n" +
			"  ferry publish orders --lines < orders.ndjson",
	}
	p.input.add(c)
	c.Flags().BoolVar(&p.lines, "lines", false, "one message a line")
	c.Flags().BoolVar(&p.noConfirm, "no-confirm", false, "send once and ask for nothing: at most once")
	p.message = addMessage(c)
	p.message.addReplyTo(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.runPublish(cmd.Context(), p, args) }
	return a.remote(c)
}

func (a *app) runPublish(ctx context.Context, p *publishFlags, args []string) error {
	m, err := p.message.message()
	if err != nil {
		return err
	}
	if p.lines && len(args) == 2 {
		return usagef("publish: give the message as argument or by --file and --lines, not both")
	}
	if p.lines && m.DedupID != "" {
		return usagef("publish: --dedup-id names one message, --lines are many")
	}
	if err := empty(p.flags, "file"); err != nil {
		return err
	}
	if p.lines {
		return a.publishLines(ctx, p, args[0], m)
	}
	if m.Body, err = a.body(p.input, args[1:]); err != nil {
		return err
	}
	return a.with(ctx, func(ctx context.Context, conn *client.Conn) error {
		if p.noConfirm {
			return a.publishUnconfirmed(ctx, conn, args[0], m)
		}
		receipt, err := conn.Publish(ctx, args[0], m)
		if err != nil {
			return err
		}
		return a.printReceipt(args[0], receipt)
	})
}

// publishUnconfirmed sends one message, and tells that it was sent.
func (a *app) publishUnconfirmed(ctx context.Context, conn *client.Conn, queue string, m client.Message) error {
	if err := conn.PublishUnconfirmed(ctx, queue, m); err != nil {
		return err
	}
	if conn.Flush(ctx) != nil {
		return errNotSent
	}
	return a.printSent(queue, 1)
}

// errNotSent is for what waited for a connection too long: it goes with the command.
var errNotSent = fmt.Errorf("%w: not everything was sent in time", errUnavailable)

func (a *app) printSent(queue string, sent uint64) error {
	if a.json() {
		return printJSON(a.Out, map[string]any{"queue": queue, "sent": sent})
	}
	_, err := fmt.Fprintf(a.Out, "sent %d messages, unconfirmed\n", sent)
	return err
}

// flushLines waits for whatever was published: its outcome is what the command
// tells. What is unconfirmed has to be sent only, within the timeout.
func (a *app) flushLines(ctx context.Context, p *publishFlags, conn *client.Conn) error {
	ctx = context.WithoutCancel(ctx)
	if !p.noConfirm {
		if err := conn.Flush(ctx); err != nil {
			return fmt.Errorf("wait for confirms: %w", err)
		}
		return nil
	}
	within, err := a.timeout()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if conn.Flush(ctx) != nil {
		return errNotSent
	}
	return nil
}

func (a *app) printReceipt(queue string, r client.Receipt) error {
	if a.json() {
		v := map[string]any{"queue": queue, "id": r.ID.String(), "duplicate": r.Duplicate, "dropped": r.Dropped}
		if r.Duplicate {
			v["first"] = r.First.String()
		}
		if r.Queues > 0 {
			v["queues"] = r.Queues
		}
		return printJSON(a.Out, v)
	}
	text := "confirmed " + r.ID.String()
	switch {
	case r.Duplicate:
		text += ": a duplicate of " + r.First.String()
	case r.Dropped:
		text += ": dropped, the queue is full"
	case r.Queues == 1:
		text += " in 1 queue"
	case r.Queues > 1:
		text += fmt.Sprintf(" in %d queues", r.Queues)
	}
	_, err := fmt.Fprintln(a.Out, text)
	return err
}

// outcome counts confirms, and keeps the first failure.
type outcome struct {
	mu        sync.Mutex
	confirmed uint64
	dropped   uint64 // of those
	failed    uint64
	first     error
}

func (o *outcome) add(r client.Receipt, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.confirmed++
		if r.Dropped {
			o.dropped++
		}
		return
	}
	o.failed++
	// An unknown outcome says more about what is to be done than a refusal.
	if o.first == nil || errors.Is(err, client.ErrUnknownOutcome) && !errors.Is(o.first, client.ErrUnknownOutcome) {
		o.first = err
	}
}

func (a *app) publishLines(ctx context.Context, p *publishFlags, queue string, m client.Message) error {
	in, size, err := a.open(p.file)
	if err != nil {
		return err
	}
	conn, err := a.connect(ctx)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	bar := a.progress(size, "publishing")
	var o outcome
	var later putOff
	told := func(m client.Message, r client.Receipt, err error) {
		o.add(r, err)
		bar.add(len(m.Body) + 1)
	}
	batch := func(ctx context.Context, ms []client.Message) ([]client.PublishResult, error) {
		return conn.PublishBatch(ctx, queue, ms)
	}
	publish := func(m client.Message) error {
		if err := later.publish(ctx, putOffMax, batch, told); err != nil {
			return err
		}
		return conn.PublishAsync(ctx, queue, m, func(r client.Receipt, err error) {
			if !later.add(m, err) {
				told(m, r, err)
			}
		})
	}
	if p.noConfirm {
		publish = func(m client.Message) error {
			bar.add(len(m.Body) + 1)
			return conn.PublishUnconfirmed(ctx, queue, m)
		}
	}
	sent, err := sendLines(ctx, bufio.NewReaderSize(in, 256<<10), m, publish)
	err = errors.Join(err, a.flushLines(ctx, p, conn))
	err = errors.Join(err, later.publish(ctx, 1, batch, told))
	err = errors.Join(err, in.Close(), conn.Close())
	bar.finish()
	o.mu.Lock()
	defer o.mu.Unlock()
	if p.noConfirm {
		return errors.Join(err, a.printSent(queue, sent))
	}
	if a.json() {
		err = errors.Join(err, printJSON(a.Out, map[string]any{
			"queue": queue, "sent": sent, "confirmed": o.confirmed, "dropped": o.dropped, "failed": o.failed}))
	} else {
		text := fmt.Sprintf("confirmed %d of %d messages", o.confirmed, sent)
		if o.dropped > 0 {
			text += fmt.Sprintf(", %d of them dropped by the full queue", o.dropped)
		}
		_, e := fmt.Fprintln(a.Out, text)
		err = errors.Join(err, e)
	}
	if o.first != nil {
		err = errors.Join(fmt.Errorf("%d messages were not confirmed, for example: %w", o.failed, o.first), err)
	}
	return err
}

// sendLines publishes each line; a last one without an end counts too.
func sendLines(ctx context.Context, in *bufio.Reader, m client.Message, publish func(client.Message) error) (sent uint64, err error) {
	for ctx.Err() == nil {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, fmt.Errorf("line %d: %w", sent+1, err)
		}
		each := m
		each.Body = line
		if err := publish(each); err != nil {
			return sent, fmt.Errorf("line %d: %w", sent+1, err)
		}
		sent++
	}
	return sent, ctx.Err()
}

var errLineTooLong = fmt.Errorf("longer than %d bytes", 16*transport.MessageMax)

// readLine returns the next line in memory of its own, without its end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) <= 16*transport.MessageMax:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, errLineTooLong
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		}
		line = line[:len(line)-1]
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		return line, nil
	}
}
