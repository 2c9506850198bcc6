package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) queue() *cobra.Command {
	return group("queue", "Create, inspect and change queues",
		a.queueCreate(), a.queueList(), a.queueShow(), a.queueUpdate(), a.queueDelete(),
		a.queuePurge(), a.queuePause(true), a.queuePause(false))
}

func (a *app) queueCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a queue",
		Long:  "Create a queue. It is no error if it exists with the same settings.",
	}
	s := addSettings(c).addDedup()
	c.RunE = func(cmd *cobra.Command, args []string) error {
		settings, err := s.apply(client.QueueSettings{})
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.CreateQueue(ctx, args[0], settings); err != nil {
				return err
			}
			return a.done("queue", args[0], "created")
		})
	}
	return a.remote(c)
}

func (a *app) queueUpdate() *cobra.Command {
	c := &cobra.Command{
		Use:   "update NAME",
		Short: "Change settings of a queue",
		Long: "Change settings of a queue, or of a subscription. Those that are not given stay as\n" +
			"they are. --fair can be changed only while the queue is empty.",
	}
	s := addSettings(c).addDedup()
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !s.any() {
			return usagef("queue update: nothing to change was given")
		}
		if err := s.check(); err != nil {
			return err
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			info, err := conn.Queue(ctx, args[0])
			if err != nil {
				return err
			}
			settings, err := s.apply(info.Settings)
			if err != nil {
				return err
			}
			if s.flags.Changed("overflow") && info.Topic != "" {
				if err := overflowMistake(settings, info.Required); err != nil {
					return err
				}
			}
			if err := conn.UpdateQueue(ctx, args[0], settings); err != nil {
				return err
			}
			return a.done("queue", args[0], "updated")
		})
	}
	return a.remote(c)
}

func (a *app) queueList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list [PREFIX]",
		Short: "List queues",
		Long: "List queues, subscriptions and dead-letter queues. Messages that are WAITING are\n" +
			"scheduled, wait for their next attempt, or for room in the dead-letter queue.",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		prefix := ""
		if len(args) == 1 {
			prefix = args[0]
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			queues := []queueView{}
			for info, err := range conn.Queues(ctx, prefix, readOptions(*stale)...) {
				if err != nil {
					return err
				}
				queues = append(queues, viewQueue(info))
			}
			if a.json() {
				return printJSON(a.Out, queues)
			}
			rows := make([][]string, 0, len(queues))
			for _, q := range queues {
				rows = append(rows, []string{q.Name, count(q.Ready), count(q.Leased), count(q.Scheduled + q.Retrying + q.Parked), bytesText(q.Bytes),
					strconv.Itoa(q.Consumers), count(q.Published), count(q.Acked), q.state()})
			}
			return table(a.Out, []string{"NAME", "READY", "LEASED", "WAITING", "BYTES", "CONSUMERS", "PUBLISHED", "ACKED", "STATE"}, rows)
		})
	}
	return a.remote(c)
}

func (a *app) queueShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a queue",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			info, err := conn.Queue(ctx, args[0], readOptions(*stale)...)
			if err != nil {
				return err
			}
			v := viewQueue(info)
			if info.Settings.Fair {
				if v.TenantWeights, err = weightsOf(ctx, conn, args[0], readOptions(*stale)); err != nil {
					return err
				}
			}
			if a.json() {
				return printJSON(a.Out, v)
			}
			return v.print(a.Out)
		})
	}
	return a.remote(c)
}

// weightsOf are the weights of a queue's tenants that have one.
func weightsOf(ctx context.Context, conn *client.Conn, queue string, opts []client.ReadOption) (map[string]int, error) {
	weights := map[string]int{}
	for t, err := range conn.Tenants(ctx, queue, opts...) {
		if err != nil {
			return nil, err
		}
		weights[t.Name] = t.Weight
	}
	return weights, nil
}

func staleFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("stale", false, "answer from the connected node's own state, without asking the leader")
}

func readOptions(stale bool) []client.ReadOption {
	if stale {
		return []client.ReadOption{client.Stale()}
	}
	return nil
}

func (a *app) queueDelete() *cobra.Command {
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a queue and the messages in it",
	}
	ifEmpty := c.Flags().Bool("if-empty", false, "refuse if it holds messages")
	ifUnused := c.Flags().Bool("if-unused", false, "refuse if it has consumers")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var opts []client.DeleteOption
		if *ifEmpty {
			opts = append(opts, client.IfEmpty())
		}
		if *ifUnused {
			opts = append(opts, client.IfUnused())
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.DeleteQueue(ctx, args[0], opts...); err != nil {
				return err
			}
			return a.done("queue", args[0], "deleted")
		})
	}
	return a.remote(c)
}

func (a *app) queuePurge() *cobra.Command {
	c := &cobra.Command{
		Use:   "purge NAME",
		Short: "Drop the messages of a queue that nobody holds",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			n, err := conn.PurgeQueue(ctx, args[0])
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(a.Out, map[string]any{"queue": args[0], "done": "purged", "messages": n})
			}
			_, err = fmt.Fprintf(a.Out, "queue %s purged: %d messages\n", args[0], n)
			return err
		})
	}
	return a.remote(c)
}

func (a *app) queuePause(pause bool) *cobra.Command {
	c := &cobra.Command{
		Use:   "pause NAME",
		Short: "Stop handing out messages of a queue",
	}
	act, done := (*client.Conn).PauseQueue, "paused"
	if !pause {
		c.Use, c.Short = "resume NAME", "Hand out messages of a paused queue again"
		act, done = (*client.Conn).ResumeQueue, "resumed"
	}
	return a.actOnQueue(c, act, done)
}

// actOnQueue has a command do one thing to the queue that it is given.
func (a *app) actOnQueue(c *cobra.Command, act func(*client.Conn, context.Context, string) error, done string) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := act(conn, ctx, args[0]); err != nil {
				return err
			}
			return a.done("queue", args[0], done)
		})
	}
	return a.remote(c)
}

// done tells that something was done to a thing.
func (a *app) done(kind, name, what string) error {
	if a.json() {
		return printJSON(a.Out, map[string]any{kind: name, "done": what})
	}
	_, err := fmt.Fprintln(a.Out, kind, name, what)
	return err
}
