package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) dlq() *cobra.Command {
	return group("dlq", "Move dead letters back", a.dlqRedrive())
}

// redriveFlags are the flags of `ferry dlq redrive`.
type redriveFlags struct {
	filter *filterFlags
	to     string
	all    bool
	rate   float64
	dryRun bool
	reset  bool
}

func (a *app) dlqRedrive() *cobra.Command {
	r := &redriveFlags{}
	c := &cobra.Command{
		Use:   "redrive QUEUE",
		Short: "Move dead letters back to where they came from, or elsewhere",
		Long: "Move the dead letters of a queue back to where each came from, or to another queue:\n" +
			"those that are there when it begins. The queue is named, or its dead-letter queue.\n\n" +
			"One that is interrupted or killed has neither lost nor doubled a message; another one\n" +
			"goes on where it ended. While the target is full it waits.",
		Example: "  ferry dlq redrive orders --all --rate 100\n" +
			"  ferry dlq redrive orders --reason failures --dry-run\n" +
			"  ferry dlq redrive orders --id 0-17-3 --to orders-by-hand --reset",
	}
	f := c.Flags()
	f.StringVar(&r.to, "to", "", "queue to move to (default: where each came from)")
	f.BoolVar(&r.all, "all", false, "all of them")
	f.Float64Var(&r.rate, "rate", 0, "messages a second; 0: as fast as it goes")
	f.BoolVar(&r.dryRun, "dry-run", false, "only count")
	f.BoolVar(&r.reset, "reset", false, "forget attempts, failures and their history")
	r.filter = addFilter(c)
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.runRedrive(cmd.Context(), r, args[0]) }
	return a.remote(c)
}

func (r *redriveFlags) options(from string) (client.RedriveOptions, error) {
	o := client.RedriveOptions{From: from, To: r.to, Rate: r.rate, DryRun: r.dryRun, Reset: r.reset}
	if r.all == r.filter.given() {
		return o, usagef("dlq redrive: say which: either --all, or --id, --header, --reason and the like")
	}
	err := mistakes(atLeast("rate", r.rate, 0), name(r.filter.flags, "to"))
	if err != nil {
		return o, err
	}
	if o.Filter, err = r.filter.filter(); err != nil {
		return o, err
	}
	refs, err := parseRefs(r.filter.ids)
	for _, ref := range refs {
		o.IDs = append(o.IDs, ref.ID)
	}
	if err != nil {
		err = fmt.Errorf("--id: %w", err)
	}
	return o, err
}

func (a *app) runRedrive(ctx context.Context, r *redriveFlags, queue string) error {
	o, err := r.options(queue)
	if err != nil {
		return err
	}
	return a.unbounded(ctx, func(ctx context.Context, conn *client.Conn) error {
		info, err := conn.Queue(ctx, queue)
		if err != nil {
			return err
		}
		if info.DeadLetter != "" {
			o.From = info.DeadLetter
		}
		b := &bar{}
		o.Progress = func(done, total int) {
			if done == 0 && !o.DryRun {
				b = a.progressCount(int64(total), "redriving")
			}
			b.set(uint64(done))
		}
		result, err := conn.Redrive(ctx, o)
		b.finish()
		if err != nil && result.Matched == 0 {
			return err // nothing was done
		}
		return errors.Join(r.ended(o, result, err), a.printRedrive(o, result))
	})
}

// ended is the error of a redrive that ended early, or refused a message.
func (r *redriveFlags) ended(o client.RedriveOptions, result client.RedriveResult, err error) error {
	switch {
	case err != nil && result.Matched > 0 && !o.DryRun:
		last := ""
		if errors.Is(err, client.ErrUnknownOutcome) {
			last = "the last step may or may not have been done, "
		}
		return fmt.Errorf("ended after %d of %d messages, %sthe others are where they were: %w", result.Moved, result.Matched, last, err)
	case err != nil:
		return err
	case len(o.IDs) > 0 && result.Matched == 0:
		return fmt.Errorf("no message of %s: %w", o.From, errNotFound)
	case result.Failed > 0:
		first := failedOf(result)[0]
		id, _ := client.ParseMessageID(first.ID) // it was one
		return fmt.Errorf("%d messages were refused, for example %s: %w", result.Failed, first.ID, result.Errors[id])
	}
	return nil
}

// failedOf are the messages that were refused, in order.
func failedOf(result client.RedriveResult) []failedView {
	failed := []failedView{}
	for id, err := range result.Errors {
		failed = append(failed, failedView{id.String(), oneLine(err)})
	}
	slices.SortFunc(failed, func(x, y failedView) int { return strings.Compare(x.ID, y.ID) })
	return failed
}

func (a *app) printRedrive(o client.RedriveOptions, result client.RedriveResult) error {
	if a.json() {
		return printJSON(a.Out, map[string]any{
			"from": o.From, "to": o.To, "dry_run": o.DryRun, "matched": result.Matched, "moved": result.Moved,
			"gone": result.Gone, "refused": result.Failed, "failed": failedOf(result)})
	}
	if o.DryRun {
		_, err := fmt.Fprintf(a.Out, "%d messages of %s would be moved\n", result.Matched, o.From)
		return err
	}
	text := fmt.Sprintf("moved %d of %d messages of %s", result.Moved, result.Matched, o.From)
	if result.Gone > 0 {
		text += fmt.Sprintf(", %d were gone", result.Gone)
	}
	if result.Failed > 0 {
		text += fmt.Sprintf(", %d were refused", result.Failed)
	}
	_, err := fmt.Fprintln(a.Out, text)
	return err
}
