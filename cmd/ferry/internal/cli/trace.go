package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

// traceView is the life of a message as JSON for programs.
type traceView struct {
	ID     string      `json:"id"`
	Events []eventView `json:"events"` // the oldest first
	// FromIndex: everything since this entry of the log is remembered; From is
	// its time, none while nothing was forgotten.
	FromIndex uint64 `json:"from_index"`
	From      string `json:"from,omitempty"`
}

type eventView struct {
	Index    uint64 `json:"index"`
	At       string `json:"at"`
	Queue    string `json:"queue"`
	Kind     string `json:"kind"`
	Token    uint64 `json:"token,omitempty"`
	Session  string `json:"session,omitempty"` // hex
	Consumer uint32 `json:"consumer,omitempty"`
	Node     string `json:"node,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

func viewTrace(t client.Trace) traceView {
	v := traceView{ID: t.ID.String(), Events: []eventView{}, FromIndex: t.FromIndex, From: timeText(t.From)}
	for _, e := range t.Events {
		v.Events = append(v.Events, eventView{
			Index: e.Index, At: timeText(e.At), Queue: e.Queue, Kind: e.Kind, Token: e.Token,
			Session: sessionText(e.Session), Consumer: e.Consumer, Node: e.Node, Detail: e.Detail,
		})
	}
	return v
}

// reach says how far back a trace reaches.
func (v traceView) reach() string {
	if v.From == "" {
		return "everything is remembered"
	}
	return fmt.Sprintf("everything is remembered since entry %d of the log, %s", v.FromIndex, v.From)
}

func (a *app) trace() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace ID",
		Short: "Tell the life of a message",
		Long: "Tell what became of a message, even after it is gone: who did what, when, under which\n" +
			"token, and why it left, each with its entry of the log; and how far back the memory\n" +
			"of the node reaches that answered. Nothing remembered is exit code 3.",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		ref, err := parseRef(args[0])
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			t, err := conn.Trace(ctx, ref.ID, readOptions(*stale)...)
			if err != nil {
				return err
			}
			return a.printTrace(viewTrace(t))
		})
	}
	return a.remote(c)
}

func (a *app) printTrace(v traceView) error {
	if a.json() {
		if err := printJSON(a.Out, v); err != nil {
			return err
		}
	} else if len(v.Events) > 0 {
		rows := make([][]string, 0, len(v.Events))
		for _, e := range v.Events {
			rows = append(rows, []string{e.At, e.Kind, e.Queue, some(e.Index), some(e.Token), shortSession(e.Session), some(e.Consumer), e.Node, e.Detail})
		}
		if err := tableUsed(a.Out, []string{"TIME", "EVENT", "QUEUE", "INDEX", "TOKEN", "SESSION", "CONSUMER", "NODE", "DETAIL"}, rows); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(a.Out, "\n%s\n", v.reach()); err != nil {
			return err
		}
	}
	if len(v.Events) == 0 {
		return fmt.Errorf("trace of %s: %w: %s", v.ID, errNotFound, v.reach())
	}
	return nil
}
