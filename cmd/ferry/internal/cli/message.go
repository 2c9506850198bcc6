package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) message() *cobra.Command {
	return group("message", "Look at messages in queues, and change them",
		a.messageBrowse(), a.messageDelete(), a.messageMove(), a.messageRequeue(), a.messageSchedule())
}

func (a *app) messageDelete() *cobra.Command {
	c := &cobra.Command{
		Use:   "delete QUEUE ID...",
		Short: "Delete messages for good, also scheduled ones",
		Long:  "Delete messages that nobody holds for good. This cancels scheduled ones.\n\n" + idsHelp,
	}
	return a.amend(c, "deleted", func(ctx context.Context, conn *client.Conn, queue string, refs []client.MessageRef) ([]error, error) {
		return conn.DeleteMessages(ctx, queue, refs...)
	})
}

func (a *app) messageMove() *cobra.Command {
	c := &cobra.Command{
		Use:   "move QUEUE ID...",
		Short: "Move messages to another queue",
		Long: "Move messages that nobody holds to another queue, each under its id. One that the\n" +
			"queue has no room for stays where it is.\n\n" + idsHelp,
		Example: "  ferry message move orders.dlq 0-17-3\n" +
			"  ferry message move orders 0-17-3 0-18-0 --to orders-later",
	}
	var to client.Move
	c.Flags().StringVar(&to.To, "to", "", "queue to move to (default: where each dead letter came from)")
	c.Flags().BoolVar(&to.Reset, "reset", false, "forget attempts, failures and their history")
	c.PreRunE = func(*cobra.Command, []string) error { return name(c.Flags(), "to") }
	return a.amend(c, "moved", func(ctx context.Context, conn *client.Conn, queue string, refs []client.MessageRef) ([]error, error) {
		return conn.MoveMessages(ctx, queue, to, refs...)
	})
}

func (a *app) messageRequeue() *cobra.Command {
	c := &cobra.Command{
		Use:   "requeue QUEUE ID...",
		Short: "Make messages ready now, behind all others",
		Long: "Make messages ready now, behind all others. A message that a consumer holds is taken\n" +
			"from it.\n\n" + idsHelp,
	}
	reset := c.Flags().Bool("reset", false, "forget attempts, failures and their history")
	return a.amend(c, "requeued", func(ctx context.Context, conn *client.Conn, queue string, refs []client.MessageRef) ([]error, error) {
		return conn.RequeueMessages(ctx, queue, *reset, refs...)
	})
}

func (a *app) messageSchedule() *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule QUEUE ID...",
		Short: "Change when messages are handed out",
		Long: "Change when messages that nobody holds are handed out, also those that wait for their\n" +
			"next attempt: give --at, --delay or --now.\n\n" + idsHelp,
		Example: "  ferry message schedule orders 0-17-3 --at 2027-01-31T08:00:00Z\n" +
			"  ferry message schedule orders 0-17-3 --now",
	}
	at := c.Flags().String("at", "", "at this time, like 2027-01-31T08:00:00Z")
	delay := c.Flags().Duration("delay", 0, "so long from now")
	now := c.Flags().Bool("now", false, "now")
	when := func() (time.Time, error) {
		given := 0
		for _, name := range []string{"at", "delay", "now"} {
			if c.Flags().Changed(name) {
				given++
			}
		}
		switch {
		case given != 1:
			return time.Time{}, usagef("message schedule: give one of --at, --delay and --now")
		case c.Flags().Changed("now"):
			if !*now {
				return time.Time{}, usagef("--now: false is no time")
			}
			return time.Time{}, nil
		case c.Flags().Changed("delay"):
			return time.Now().Add(*delay), within("delay", *delay, 0, client.MaxDelay)
		}
		return parseTime("at", *at)
	}
	c.PreRunE = func(*cobra.Command, []string) error {
		_, err := when()
		return err
	}
	return a.amend(c, "scheduled", func(ctx context.Context, conn *client.Conn, queue string, refs []client.MessageRef) ([]error, error) {
		t, err := when()
		if err != nil {
			return nil, err
		}
		return conn.ScheduleMessages(ctx, queue, t, refs...)
	})
}

const idsHelp = "Messages are named by their ids, as `ferry message browse` and the others print them;\n" +
	"ID@PLACE is found faster in a long queue. - reads them from standard input, one a line,\n" +
	"100,000 at most. The command ends with 0 only if it was done to all of them."

// change is what is done to messages, with an error for each.
type change func(ctx context.Context, conn *client.Conn, queue string, refs []client.MessageRef) ([]error, error)

// amend is a command that changes messages.
func (a *app) amend(c *cobra.Command, done string, do change) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) error {
		refs, err := a.refsOf(args[1:])
		if err != nil {
			return err
		}
		return a.unbounded(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			queue := args[0]
			errs, err := do(ctx, conn, queue, refs)
			if err != nil {
				return err
			}
			return a.printAmended(queue, done, refs, errs)
		})
	}
	return a.remote(c)
}

// failedView is a message that something was not done to.
type failedView struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

func (a *app) printAmended(queue, done string, refs []client.MessageRef, errs []error) error {
	failed, first := []failedView{}, error(nil)
	for i, err := range errs {
		if err == nil {
			continue
		}
		failed = append(failed, failedView{refs[i].ID.String(), oneLine(err)})
		if first == nil {
			first = err
		}
	}
	changed := len(refs) - len(failed)
	if a.json() {
		v := map[string]any{"queue": queue, "done": done, "messages": changed, "failed": failed}
		if err := printJSON(a.Out, v); err != nil {
			return err
		}
	} else if err := printChanged(a.Out, fmt.Sprintf("%s %d of %d messages of queue %s", done, changed, len(refs), queue), failed, len(refs) == 1); err != nil {
		return err
	}
	switch {
	case len(refs) == 1:
		return first
	case first != nil:
		return fmt.Errorf("%d of %d messages were not %s, for example: %w", len(failed), len(refs), done, first)
	}
	return nil
}

// printChanged lists what failed; what was alone is told by the error.
func printChanged(w io.Writer, text string, failed []failedView, alone bool) error {
	if _, err := fmt.Fprintln(w, text); err != nil || len(failed) == 0 || alone {
		return err
	}
	rows := make([][]string, 0, len(failed))
	for _, f := range failed {
		rows = append(rows, []string{f.ID, f.Error})
	}
	return table(w, []string{"ID", "ERROR"}, rows)
}
