package cli

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) topic() *cobra.Command {
	return group("topic", "Create, inspect and delete topics and their subscriptions",
		a.topicCreate(), a.topicList(), a.topicShow(), a.topicDelete(), a.topicSubscribe(), a.topicSubscriptions())
}

func (a *app) topicCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a topic",
		Long: "Create a topic. It is no error if it exists with the same settings. Topics and\n" +
			"queues share their names.",
	}
	var s client.TopicSettings
	c.Flags().DurationVar(&s.Dedup, "dedup-window", 0, "how long the id given by --dedup-id is known, 1s to 168h; 0: no window")
	c.Flags().IntVar(&s.DedupCapacity, "dedup-capacity", 0, "ids that are known at most; required with a window")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := mistakes(withinOrZero("dedup-window", s.Dedup, client.MinDedup, client.MaxDedup),
			within("dedup-capacity", s.DedupCapacity, 0, client.MaxDedupCapacity)); err != nil {
			return err
		}
		if err := dedupMistake(s.Dedup, s.DedupCapacity); err != nil {
			return err
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.CreateTopic(ctx, args[0], s); err != nil {
				return err
			}
			return a.done("topic", args[0], "created")
		})
	}
	return a.remote(c)
}

func (a *app) topicDelete() *cobra.Command {
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a topic, its subscriptions and the messages in them",
	}
	ifUnused := c.Flags().Bool("if-unused", false, "refuse if it has subscriptions")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var opts []client.DeleteOption
		if *ifUnused {
			opts = append(opts, client.IfUnused())
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.DeleteTopic(ctx, args[0], opts...); err != nil {
				return err
			}
			return a.done("topic", args[0], "deleted")
		})
	}
	return a.remote(c)
}

// topicView is a topic as JSON for programs.
type topicView struct {
	Name          string `json:"name"`
	Incarnation   uint64 `json:"incarnation"`
	Subscriptions int    `json:"subscriptions"`
	Published     uint64 `json:"published"`
	Duplicates    uint64 `json:"duplicates"`
	DedupIDs      uint64 `json:"dedup_ids"`
	DedupMillis   int64  `json:"dedup_window_ms"`
	DedupCapacity int    `json:"dedup_capacity"`
}

func viewTopic(t client.TopicInfo) topicView {
	return topicView{
		Name: t.Name, Incarnation: t.Incarnation, Subscriptions: t.Subscriptions, Published: t.Published,
		Duplicates: t.Duplicates, DedupIDs: t.DedupIDs,
		DedupMillis: t.Settings.Dedup.Milliseconds(), DedupCapacity: t.Settings.DedupCapacity,
	}
}

func (t topicView) print(w io.Writer) error {
	window := settingsView{DedupMillis: t.DedupMillis, DedupCapacity: t.DedupCapacity}
	return fields(w,
		"Name", t.Name,
		"Subscriptions", strconv.Itoa(t.Subscriptions),
		"Published", count(t.Published),
		"Duplicates", count(t.Duplicates),
		"Window of message ids", window.dedupText(t.DedupIDs),
	)
}

func (a *app) topicList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list [PREFIX]",
		Short: "List topics",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		prefix := ""
		if len(args) == 1 {
			prefix = args[0]
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			topics, rows := []topicView{}, [][]string{}
			for info, err := range conn.Topics(ctx, prefix, readOptions(*stale)...) {
				if err != nil {
					return err
				}
				t := viewTopic(info)
				topics = append(topics, t)
				rows = append(rows, []string{t.Name, strconv.Itoa(t.Subscriptions), count(t.Published), count(t.Duplicates)})
			}
			if a.json() {
				return printJSON(a.Out, topics)
			}
			return table(a.Out, []string{"NAME", "SUBSCRIPTIONS", "PUBLISHED", "DUPLICATES"}, rows)
		})
	}
	return a.remote(c)
}

func (a *app) topicShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a topic",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			info, err := conn.Topic(ctx, args[0], readOptions(*stale)...)
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(a.Out, viewTopic(info))
			}
			return viewTopic(info).print(a.Out)
		})
	}
	return a.remote(c)
}
