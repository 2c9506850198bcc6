package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// Exit codes of a command that works on a message, as sysexits.h has them.
const (
	exitData     = 65 // EX_DATAERR: another attempt would not mend it
	exitTempFail = 75 // EX_TEMPFAIL: the fault of something that it needs
)

const (
	// stderrKept is how much of a command's last words are looked at.
	stderrKept = 4096
	// outputDelay is how long what a command left behind may hold its output
	// open.
	outputDelay = time.Second
)

var errOutput = fmt.Errorf("the command printed more than %d bytes", transport.MessageMax)

// command answers messages by what a command prints.
type command struct {
	line        string
	contentType string
	log         io.Writer // gets its standard error, too
}

func (c command) run(ctx context.Context, d *client.Delivery) (client.Message, error) {
	var out output
	var words lastWords
	p := exec.CommandContext(ctx, "sh", "-c", c.line)
	p.Stdin, p.Stdout, p.Stderr = bytes.NewReader(d.Body), &out, io.MultiWriter(&words, c.log)
	p.Env = append(os.Environ(),
		"FERRY_QUEUE="+d.Queue,
		"FERRY_ID="+d.ID.String(),
		"FERRY_ATTEMPT="+strconv.Itoa(d.Attempt),
		"FERRY_TOKEN="+strconv.FormatUint(d.Token, 10),
		"FERRY_CONTENT_TYPE="+d.ContentType,
		"FERRY_CORRELATION_ID="+d.CorrelationID,
		"FERRY_SUBJECT="+d.Subject,
	)
	p.WaitDelay = outputDelay
	if err := started.run(p); err != nil {
		return client.Message{}, c.failure(ctx, err, words.line())
	}
	return client.Message{Body: out.Bytes(), ContentType: c.contentType}, nil
}

// failure is what the command's end says of its message.
func (c command) failure(ctx context.Context, err error, said string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, errOutput) {
		return client.Permanent(errOutput)
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if said != "" {
		err = errors.New(said)
	}
	switch exit.ExitCode() {
	case exitData:
		return client.Permanent(err)
	case exitTempFail:
		return client.Downstream(err)
	}
	return err
}

// output takes as much as a message can have.
type output struct{ bytes.Buffer }

func (o *output) Write(p []byte) (int, error) {
	if o.Len()+len(p) > transport.MessageMax {
		return 0, errOutput
	}
	return o.Buffer.Write(p)
}

// lastWords keeps the end of what is written.
type lastWords struct{ kept []byte }

func (l *lastWords) Write(p []byte) (int, error) {
	l.kept = append(l.kept, p...)
	if extra := len(l.kept) - stderrKept; extra > 0 {
		l.kept = append(l.kept[:0], l.kept[extra:]...)
	}
	return len(p), nil
}

// line is the last one that says something.
func (l *lastWords) line() string {
	lines := strings.Split(strings.TrimRight(string(l.kept), "\r\n\t "), "\n")
	return strings.ToValidUTF8(strings.TrimSpace(lines[len(lines)-1]), "�")
}
