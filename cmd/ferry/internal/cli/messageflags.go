package cli

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// messageFlags are what a message has beside its body.
type messageFlags struct {
	flags         *pflag.FlagSet
	header        []string
	contentType   string
	correlationID string
	priority      uint8
	group, tenant string
	ttl, delay    time.Duration
	deliverAt     string
	dedupID       string
	subject       string
	replyTo       string
}

func addMessage(c *cobra.Command) *messageFlags {
	m := &messageFlags{flags: c.Flags()}
	f := m.flags
	f.StringArrayVar(&m.header, "header", nil, "header as name=value; may be repeated")
	f.StringVar(&m.contentType, "content-type", "", "content type")
	f.StringVar(&m.correlationID, "correlation-id", "", "correlation id")
	f.Uint8Var(&m.priority, "priority", 4, "0 to 31; the highest goes first")
	f.StringVar(&m.group, "group", "", "message group: its messages are handed out in order")
	f.StringVar(&m.tenant, "tenant", "", "tenant, who takes turns with others in a fair queue")
	f.DurationVar(&m.ttl, "ttl", 0, "how long it may wait before it expires; 0: as the queue says")
	f.DurationVar(&m.delay, "delay", 0, "hand it out only after so long")
	f.StringVar(&m.deliverAt, "deliver-at", "", "hand it out only from this time on, like 2027-01-31T08:00:00Z")
	f.StringVar(&m.dedupID, "dedup-id", "", "id: a second message with it, in the window of the queue or topic, is a duplicate")
	f.StringVar(&m.subject, "subject", "", "what a topic's subscriptions filter by, like order.created")
	return m
}

// addReplyTo is for messages whose sender does not wait for the answer.
func (m *messageFlags) addReplyTo(c *cobra.Command) {
	c.Flags().StringVar(&m.replyTo, "reply-to", "", "queue that an answer goes to")
}

// message with everything but its body.
func (m *messageFlags) message() (client.Message, error) {
	out := client.Message{
		ContentType: m.contentType, CorrelationID: m.correlationID, GroupKey: m.group, Tenant: m.tenant,
		TTL: m.ttl, Delay: m.delay, DedupID: m.dedupID, Subject: m.subject, ReplyTo: m.replyTo,
	}
	if m.flags.Changed("priority") {
		out.Priority = client.Priority(m.priority)
	}
	if m.deliverAt != "" && m.flags.Changed("delay") {
		return out, usagef("--delay and --deliver-at exclude each other")
	}
	var err error
	if out.DeliverAt, err = parseTime("deliver-at", m.deliverAt); err != nil {
		return out, err
	}
	for _, h := range m.header {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return out, usagef("--header: %q is no name=value", h)
		}
		if out.Header == nil {
			out.Header = client.Header{}
		}
		out.Header.Add(name, value)
	}
	return out, nil
}

// parseTime parses a flag's time, "" as none.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, usagef("--%s: %q is no time like 2027-01-31T08:00:00Z", flag, text)
	}
	return t, nil
}

// input is where a body comes from, if not from the arguments.
type input struct{ file string }

func (i *input) add(c *cobra.Command) {
	c.Flags().StringVarP(&i.file, "file", "f", "", "take this file; - is standard input")
}

// body is the argument, the file, or standard input.
func (a *app) body(i input, args []string) ([]byte, error) {
	switch {
	case len(args) == 0:
		return a.readWhole(i.file)
	case i.file != "":
		return nil, usagef("give the message as argument or by --file, not both")
	}
	return []byte(args[0]), nil
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
