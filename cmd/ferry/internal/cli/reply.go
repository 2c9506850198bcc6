package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

// replyFlags are the flags of `ferry reply`.
type replyFlags struct {
	exec        string
	echo        bool
	concurrency int
	contentType string
	consumer    []client.ConsumeOption
}

func (a *app) reply() *cobra.Command {
	r := &replyFlags{}
	c := &cobra.Command{
		Use:   "reply QUEUE",
		Short: "Answer requests by a command",
		Long: "Run a command for each message of a queue until interrupted. It is run by sh, with the\n" +
			"body on standard input; what it prints is the answer, which a message that asks for\n" +
			"none does not need. FERRY_QUEUE, FERRY_ID, FERRY_ATTEMPT, FERRY_TOKEN,\n" +
			"FERRY_CONTENT_TYPE, FERRY_CORRELATION_ID and FERRY_SUBJECT tell the rest.\n\n" +
			"Its exit code says what becomes of the message: 0 acks it; 65 dead-letters it, its\n" +
			"data are wrong; 75 gives it back, a service that it needs failed; any other gives it\n" +
			"back as failed. The last line of standard error is the error. When the lease is lost\n" +
			"the command is killed, with all that it started. It has no terminal, and a key that\n" +
			"stops this program for a while does not stop it.",
		Example: "  ferry reply prices --exec 'jq .price' --concurrency 4\n" +
			"  ferry reply prices --echo",
	}
	f := c.Flags()
	f.StringVar(&r.exec, "exec", "", "command to run")
	f.BoolVar(&r.echo, "echo", false, "answer with the message itself")
	f.IntVar(&r.concurrency, "concurrency", 1, "messages worked on at once")
	f.StringVar(&r.contentType, "content-type", "", "content type of the answers of --exec")
	consumer := addConsumer(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if r.echo == (r.exec != "") {
			return usagef("reply: give either --exec or --echo")
		}
		if r.echo && r.contentType != "" {
			return usagef("reply: --content-type is that of what --exec prints; --echo answers with the message's own")
		}
		if err := mistakes(within("concurrency", r.concurrency, 1, client.MaxConcurrency), text("content-type", r.contentType)); err != nil {
			return err
		}
		if r.consumer, err = consumer.options(); err != nil {
			return err
		}
		return a.runReply(cmd.Context(), r, args[0])
	}
	return a.remote(c)
}

func (a *app) runReply(ctx context.Context, r *replyFlags, queue string) error {
	w := &worker{app: a, log: &muteable{to: a.Err}, broke: make(chan struct{})}
	w.work = echo
	if !r.echo {
		surviveBrokenPipes()
		w.work = command{r.exec, r.contentType, w.log}.run
	}
	patience, err := a.timeout()
	if err != nil {
		return err
	}
	return a.unbounded(ctx, func(ctx context.Context, conn *client.Conn) error {
		defer w.log.mute()
		// Being told to stop is how it ends: what is begun is finished first.
		going := context.WithoutCancel(ctx)
		opts := append([]client.ConsumeOption{
			client.WithConcurrency(r.concurrency), client.WithPrefetch(r.concurrency), client.WithErrorFunc(w.tell),
		}, r.consumer...)
		k, err := conn.Respond(going, queue, w.answer, opts...)
		if err != nil {
			return err
		}
		select {
		case <-k.Done():
			return k.Err()
		case <-ctx.Done():
		case <-w.broke:
		}
		stop, cancel := context.WithTimeout(going, patience)
		defer cancel()
		if err := k.Stop(stop); err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		return w.failed()
	})
}

// worker answers messages and tells of each on a line.
type worker struct {
	app  *app
	work client.Responder
	log  *muteable // standard error

	mu    sync.Mutex
	err   error         // of the first line that could not be written
	broke chan struct{} // closed with it: the command ends
}

// workView is a message that was worked on, as JSON for programs.
type workView struct {
	Queue   string `json:"queue"`
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Millis  int64  `json:"ms"`
	Error   string `json:"error,omitempty"`
}

func (w *worker) answer(ctx context.Context, d *client.Delivery) (client.Message, error) {
	began := time.Now()
	m, err := w.work(ctx, d)
	took := time.Since(began)
	v := workView{Queue: d.Queue, ID: d.ID.String(), Attempt: d.Attempt, Millis: took.Milliseconds()}
	text := "worked"
	if err != nil {
		v.Error = oneLine(err)
		text = "failed: " + plainText(v.Error)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var wrote error
	if w.app.json() {
		wrote = printJSON(w.app.Out, v)
	} else {
		_, wrote = fmt.Fprintf(w.app.Out, "%s  %s  %s\n", v.ID, took.Round(time.Millisecond), text)
	}
	if wrote != nil && w.err == nil {
		w.err = wrote
		close(w.broke)
	}
	return m, err
}

// tell tells of what went wrong outside of a command.
func (w *worker) tell(err error) {
	_, _ = fmt.Fprintln(w.log, "ferry:", oneLine(err)) // a lost line on standard error ends nothing
}

func (w *worker) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// echo answers with the message itself.
func echo(_ context.Context, d *client.Delivery) (client.Message, error) {
	return client.Message{Body: d.Body, Header: d.Header, ContentType: d.ContentType}, nil
}
