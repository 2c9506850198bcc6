package cli

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

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
	priority      int
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
	f.IntVar(&m.priority, "priority", 4, "0 to 31; the highest goes first")
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
		out.Priority = client.Priority(uint8(m.priority))
	}
	if err := m.check(); err != nil {
		return out, err
	}
	if m.flags.Changed("deliver-at") && m.flags.Changed("delay") {
		return out, usagef("--delay and --deliver-at exclude each other")
	}
	if m.flags.Changed("deliver-at") {
		var err error
		if out.DeliverAt, err = parseTime("deliver-at", m.deliverAt); err != nil {
			return out, err
		}
	}
	var err error
	out.Header, err = parseHeaders(m.header)
	return out, err
}

// parseHeaders reads name=value, "name=" being one without a value.
func parseHeaders(texts []string) (client.Header, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	h, size := client.Header{}, 0
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usagef("--header: %q is no name=value", text)
		}
		if fault := textFault(name); fault != "" {
			return nil, usagef("--header: name: %s", fault)
		}
		if !utf8.ValidString(value) {
			return nil, usagef("--header: %q is not UTF-8", text)
		}
		h.Add(name, value)
		size += len(name) + len(value)
	}
	return h, mistakes(bad("header", tooMany(len(texts), client.MaxHeaders)),
		bad("header", atMost(size, client.MaxHeaderBytes)))
}

// check judges what was given, each for itself.
func (m *messageFlags) check() error {
	subject := ""
	if m.subject != "" {
		subject = detailOf(client.CheckSubject(m.subject))
	}
	return mistakes(
		within("priority", m.priority, 0, client.MaxPriority),
		within("ttl", m.ttl, 0, client.MaxTTL),
		within("delay", m.delay, 0, client.MaxDelay),
		text("content-type", m.contentType), text("correlation-id", m.correlationID),
		text("group", m.group), text("tenant", m.tenant), text("dedup-id", m.dedupID),
		quoted("subject", m.subject, subject), name(m.flags, "reply-to"))
}

// parseTime parses a flag's time.
func parseTime(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		return t, usagef("--%s: %q is no time like 2027-01-31T08:00:00Z", flag, text)
	case t.UnixMilli() <= 0:
		return t, usagef("--%s: %q is before 1970", flag, text)
	}
	return t, nil
}

// input is where a body comes from, if not from the arguments.
type input struct {
	flags *pflag.FlagSet
	file  string
}

func (i *input) add(c *cobra.Command) {
	i.flags = c.Flags()
	i.flags.StringVarP(&i.file, "file", "f", "", "take this file; - is standard input")
}

// body is the argument, the file, or standard input.
func (a *app) body(i input, args []string) ([]byte, error) {
	if err := empty(i.flags, "file"); err != nil {
		return nil, err
	}
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
		return nil, 0, usagef("--file: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		return nil, 0, errors.Join(usagef("--file: %s is a folder", file), f.Close())
	case err == nil && info.Mode().IsRegular():
		return f, info.Size(), nil
	}
	return f, -1, nil
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
