package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// publishFlags are the flags of `ferry publish`.
type publishFlags struct {
	file          string
	lines         bool
	header        []string
	contentType   string
	correlationID string
}

func (a *app) publish() *cobra.Command {
	p := &publishFlags{}
	c := &cobra.Command{
		Use:   "publish QUEUE [MESSAGE]",
		Short: "Publish messages",
		Long: "Publish one message: the argument, the whole of --file, or the whole of standard\n" +
			"input. With --lines every line of the file or of standard input is a message.\n" +
			"The command ends with 0 only if every message is confirmed.",
		Example: "  ferry publish orders 'hello'\n" +
			"  ferry publish orders --file order.json --content-type application/json\n" +
			"  ferry publish orders --lines < orders.ndjson",
		Args: cobra.RangeArgs(1, 2),
	}
	f := c.Flags()
	f.StringVarP(&p.file, "file", "f", "", "publish this file; - is standard input")
	f.BoolVar(&p.lines, "lines", false, "one message a line")
	f.StringArrayVar(&p.header, "header", nil, "header as name=value; may be repeated")
	f.StringVar(&p.contentType, "content-type", "", "content type of the messages")
	f.StringVar(&p.correlationID, "correlation-id", "", "correlation id of the messages")
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.runPublish(cmd.Context(), p, args) }
	return a.remote(c)
}

func (a *app) runPublish(ctx context.Context, p *publishFlags, args []string) error {
	m, err := p.message()
	if err != nil {
		return err
	}
	if len(args) == 2 && (p.file != "" || p.lines) {
		return usagef("publish: give the message as argument or by --file and --lines, not both")
	}
	if p.lines {
		return a.publishLines(ctx, p, args[0], m)
	}
	if len(args) == 2 {
		m.Body = []byte(args[1])
	} else if m.Body, err = a.readWhole(p.file); err != nil {
		return err
	}
	return a.with(ctx, func(ctx context.Context, conn *client.Conn) error {
		receipt, err := conn.Publish(ctx, args[0], m)
		if err != nil {
			return err
		}
		if a.json() {
			return printJSON(a.Out, map[string]any{"queue": args[0], "id": receipt.ID.String(), "duplicate": receipt.Duplicate})
		}
		_, err = fmt.Fprintln(a.Out, "confirmed", receipt.ID)
		return err
	})
}

func (p *publishFlags) message() (client.Message, error) {
	m := client.Message{ContentType: p.contentType, CorrelationID: p.correlationID}
	for _, h := range p.header {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return m, usagef("--header: %q is no name=value", h)
		}
		if m.Header == nil {
			m.Header = client.Header{}
		}
		m.Header.Add(name, value)
	}
	return m, nil
}

// open opens the input and tells its size, -1 if it is not known.
func (a *app) open(file string) (io.ReadCloser, int64, error) {
	if file == "" || file == "-" {
		return io.NopCloser(a.In), -1, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	size := int64(-1)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

// readWhole reads one message, at most a byte more than a message can have, so
// that the cluster's own limit speaks.
func (a *app) readWhole(file string) ([]byte, error) {
	in, _, err := a.open(file)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(in, 16*transport.MessageMax+1))
	return data, errors.Join(err, in.Close())
}

// outcome counts confirms, and keeps the first failure.
type outcome struct {
	mu        sync.Mutex
	confirmed uint64
	failed    uint64
	first     error
}

func (o *outcome) add(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.confirmed++
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
	sent, err := sendLines(ctx, conn, bufio.NewReaderSize(in, 256<<10), queue, m, &o, bar)
	// Whatever was sent is waited for: its outcome is what the command tells.
	if e := conn.Flush(context.WithoutCancel(ctx)); err == nil && e != nil {
		err = fmt.Errorf("wait for confirms: %w", e)
	}
	err = errors.Join(err, in.Close(), conn.Close())
	bar.finish()
	o.mu.Lock()
	defer o.mu.Unlock()
	if a.json() {
		err = errors.Join(err, printJSON(a.Out, map[string]any{"queue": queue, "sent": sent, "confirmed": o.confirmed, "failed": o.failed}))
	} else {
		_, e := fmt.Fprintf(a.Out, "confirmed %d of %d messages\n", o.confirmed, sent)
		err = errors.Join(err, e)
	}
	if o.first != nil {
		err = errors.Join(fmt.Errorf("%d messages were not confirmed, for example: %w", o.failed, o.first), err)
	}
	return err
}

// sendLines publishes each line; a last one without an end counts too.
func sendLines(ctx context.Context, conn *client.Conn, in *bufio.Reader, queue string, m client.Message, o *outcome, bar *bar) (sent uint64, err error) {
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
		taken := len(line) + 1
		err = conn.PublishAsync(ctx, queue, each, func(_ client.Receipt, err error) {
			o.add(err)
			bar.add(taken)
		})
		if err != nil {
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
