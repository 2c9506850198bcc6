package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// explanationView is why a queue hands out nothing, as JSON for programs.
type explanationView struct {
	Queue   string       `json:"queue"`
	Reasons []reasonView `json:"reasons"` // the most important first
}

type reasonView struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Count uint64 `json:"count,omitempty"`
	Until string `json:"until,omitempty"` // RFC 3339, estimated
	Name  string `json:"name,omitempty"`
	Takes *int64 `json:"takesBytes,omitempty"` // of "missed" and "topic_refuses"; -1: no message
}

func viewExplanation(e client.Explanation) explanationView {
	v := explanationView{Queue: e.Queue, Reasons: []reasonView{}}
	for _, r := range e.Reasons {
		view := reasonView{Kind: r.Kind, Text: r.Text, Count: r.Count, Until: timeText(r.Until), Name: r.Name}
		if r.Kind == transport.ExplainMissed || r.Kind == transport.ExplainTopicRefuses {
			view.Takes = &r.TakesBytes
		}
		v.Reasons = append(v.Reasons, view)
	}
	return v
}

func (a *app) explain() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain QUEUE",
		Short: "Tell why a queue hands out nothing",
		Long:  "Tell every cause why a queue hands out nothing, or less than it could, the most\nimportant first.",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			e, err := conn.Explain(ctx, args[0], readOptions(*stale)...)
			if err != nil {
				return err
			}
			v := viewExplanation(e)
			if a.json() {
				return printJSON(a.Out, v)
			}
			if len(v.Reasons) == 0 {
				_, err := fmt.Fprintf(a.Out, "nothing holds up queue %s\n", v.Queue)
				return err
			}
			rows := make([][]string, 0, len(v.Reasons))
			for i, r := range v.Reasons {
				rows = append(rows, []string{strconv.Itoa(i + 1), r.Kind, r.Text, some(r.Count), r.Name, r.Until})
			}
			return tableUsed(a.Out, []string{"", "CAUSE", "WHAT", "COUNT", "NAME", "UNTIL ABOUT"}, rows)
		})
	}
	return a.remote(c)
}
