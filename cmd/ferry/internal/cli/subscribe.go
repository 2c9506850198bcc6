package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) topicSubscribe() *cobra.Command {
	c := &cobra.Command{
		Use:   "subscribe TOPIC QUEUE",
		Short: "Make a queue that gets what is published to a topic",
		Long: "Make a subscription: a queue that gets what is published to a topic under a subject\n" +
			"that --filter matches. It is consumed, shown, changed and deleted as a queue.\n\n" +
			"While it is full it loses its oldest messages to its dead-letter queue, and misses\n" +
			"new ones when that is full too, or with --overflow drop-new. With --required nothing\n" +
			"that it matches can be published to the topic then; with --overflow drop-oldest too it\n" +
			"loses its oldest, and refuses only what it cannot make room for.\n\n" +
			"With --session it lives as long as this command, which prints its messages until it\n" +
			"is interrupted, as `ferry consume --follow` does. If the command is killed it stays for\n" +
			"--session-expiry, and cannot be made again before.",
		Example: "  ferry topic subscribe events invoices --filter 'order.*.paid' --required\n" +
			"  ferry topic subscribe events watch --session",
	}
	var s client.Subscription
	f := c.Flags()
	f.StringVar(&s.Filter, "filter", ">", "subjects: words with dots between; * is one word, > at the end one or more")
	f.BoolVar(&s.Required, "required", false, "refuse to publish to the topic while it is full")
	f.BoolVar(&s.Session, "session", false, "print its messages, and delete it at the end")
	expiry := f.Duration("session-expiry", sessionExpiry, "with --session: how long it stays if this command is killed or cut off, 1s to 168h")
	queue := addSettings(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		s.Topic, s.Queue = args[0], args[1]
		if err := quoted("filter", s.Filter, detailOf(client.CheckFilter(s.Filter))); err != nil {
			return err
		}
		if f.Changed("session-expiry") && !s.Session {
			return usagef("--session-expiry: it means nothing without --session")
		}
		err := within("session-expiry", *expiry, client.MinSessionExpiry, client.MaxSessionExpiry)
		if err != nil {
			return err
		}
		if s.Settings, err = queue.apply(client.QueueSettings{}); err != nil {
			return err
		}
		if cmd.Flags().Changed("overflow") {
			if err := overflowMistake(s.Settings, s.Required); err != nil {
				return err
			}
		}
		if s.Session {
			return a.watch(cmd.Context(), s, *expiry)
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.Subscribe(ctx, s); err != nil {
				return err
			}
			return a.done("subscription", s.Queue, "created")
		})
	}
	return a.remote(c)
}

// overflowMistake: a subscription that is not required never refuses a message,
// and one that is never misses one.
func overflowMistake(s client.QueueSettings, required bool) error {
	switch {
	case s.Overflow == client.OverflowReject && !required:
		return usagef("--overflow reject: a subscription that refuses messages needs --required")
	case s.Overflow == client.OverflowDropNew && required:
		return usagef("--overflow drop-new: a required subscription would miss messages; it takes reject or drop-oldest")
	}
	return nil
}

// watch prints what a subscription gets that lives as long as the command.
func (a *app) watch(ctx context.Context, s client.Subscription, expiry time.Duration) error {
	return a.unbounded(ctx, func(ctx context.Context, conn *client.Conn) error {
		if err := conn.Subscribe(ctx, s); err != nil {
			return ofAnother(ctx, conn, s, err)
		}
		return a.printMessages(ctx, conn, &consumeFlags{follow: true, ack: true, prefetch: consumePrefetch}, s.Queue)
	}, client.WithSessionExpiry(expiry))
}

// ofAnother says of a subscription that could not be made that the session of
// another command has it, if that is so.
func ofAnother(ctx context.Context, conn *client.Conn, s client.Subscription, err error) error {
	if !errors.Is(err, client.ErrConflict) {
		return err
	}
	if q, e := conn.Queue(ctx, s.Queue); e == nil && q.Session {
		return fmt.Errorf("%w; it belongs to another session, and goes with that", err)
	}
	return err
}

func (a *app) topicSubscriptions() *cobra.Command {
	c := &cobra.Command{
		Use:   "subscriptions TOPIC",
		Short: "List the subscriptions of a topic",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			queues, rows := []queueView{}, [][]string{}
			for info, err := range conn.Subscriptions(ctx, args[0], readOptions(*stale)...) {
				if err != nil {
					return err
				}
				q := viewQueue(info)
				queues = append(queues, q)
				rows = append(rows, []string{q.Name, info.Filter, kindText(info), count(q.Ready), count(q.Leased),
					bytesText(q.Bytes), count(q.Published), count(q.Missed), q.state()})
			}
			if a.json() {
				return printJSON(a.Out, queues)
			}
			return table(a.Out, []string{"QUEUE", "FILTER", "KIND", "READY", "LEASED", "BYTES", "PUBLISHED", "MISSED", "STATE"}, rows)
		})
	}
	return a.remote(c)
}

func kindText(q client.QueueInfo) string {
	kind := "lossy"
	if q.Required {
		kind = "required"
	}
	if q.Session {
		kind += ", session"
	}
	return kind
}
