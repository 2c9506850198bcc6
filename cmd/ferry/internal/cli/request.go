package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

// requestSlack is how long after its deadline the cluster may take to say how a
// request ended.
const requestSlack = time.Second

// requestFlags are the flags of `ferry request`.
type requestFlags struct {
	input
	message *messageFlags
	noRetry bool
	through string
}

func (a *app) request() *cobra.Command {
	r := &requestFlags{}
	c := &cobra.Command{
		Use:   "request QUEUE [MESSAGE]",
		Short: "Publish a message and print its answer",
		Long: "Publish one message, as `ferry publish` does, and print the answer that a consumer of\n" +
			"the queue gives, `ferry reply` for example. It waits for --timeout.\n\n" +
			"Exit code 7: no consumer is there; the request was not stored. 8: no answer in time;\n" +
			"it may have been worked on. 9: with --no-retry, its responder was lost; it may have\n" +
			"been worked on. 14: it failed too often, was rejected or removed.",
		Example: "  ferry request prices '{\"item\": 7}' --timeout 2s",
	}
	r.input.add(c)
	r.message = addMessage(c)
	c.Flags().BoolVar(&r.noRetry, "no-retry", false, "give up when the responder is lost, instead of asking another")
	c.Flags().StringVar(&r.through, "reply-to", "", "queue, this command's own, that the answer goes through: for those above 64 KiB")
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.runRequest(cmd.Context(), r, args) }
	return a.remote(c)
}

func (a *app) runRequest(ctx context.Context, r *requestFlags, args []string) error {
	m, err := r.message.message()
	if err != nil {
		return err
	}
	patience, err := a.timeout()
	if err != nil {
		return err
	}
	if err := r.check(&m, patience); err != nil {
		return err
	}
	if m.Body, err = a.body(r.input, args[1:]); err != nil {
		return err
	}
	opts := []client.RequestOption{client.WithRequestDeadline(patience)}
	if r.noRetry {
		opts = append(opts, client.NoRetry())
	}
	if r.through != "" {
		opts = append(opts, client.WithDurableReply(r.through))
	}
	return a.unbounded(ctx, func(ctx context.Context, conn *client.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, patience+requestSlack)
		defer cancel()
		response, err := conn.Request(ctx, args[0], m, opts...)
		if err != nil {
			return err
		}
		return a.printAnswer(args[0], response)
	})
}

// check judges what was given beside the time that there is.
func (r *requestFlags) check(m *client.Message, patience time.Duration) error {
	switch {
	case patience > client.MaxRequestDeadline:
		return usagef("--timeout: %v is above %v", patience, client.MaxRequestDeadline)
	case m.Delay >= patience:
		return usagef("--delay: %v is not before --timeout, %v", m.Delay, patience)
	case !m.DeliverAt.IsZero() && time.Until(m.DeliverAt) >= patience:
		return usagef("--deliver-at: it is not before --timeout, %v", patience)
	}
	return nil
}

// answerView is an answer as JSON for programs.
type answerView struct {
	Queue string `json:"queue"`
	ID    string `json:"id,omitempty"` // of the answer
	Empty bool   `json:"empty"`        // the request was acked, and answered by nothing
	contentView
}

func (a *app) printAnswer(queue string, r *client.Response) error {
	if a.json() {
		v := answerView{Queue: queue, Empty: r.Empty}
		if !r.Empty {
			v.ID, v.contentView = r.ID.String(), viewContent(&r.Message)
		}
		return printJSON(a.Out, v)
	}
	if r.Empty {
		return nil
	}
	_, err := a.Out.Write(r.Body)
	if n := len(r.Body); n == 0 || r.Body[n-1] != '\n' {
		_, e := a.Out.Write([]byte{'\n'})
		err = errors.Join(err, e)
	}
	return err
}
