package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

// breakerView is a circuit breaker as JSON for programs.
type breakerView struct {
	State      string `json:"state"` // off, closed, open, half-open
	ByHand     bool   `json:"by_hand,omitempty"`
	Until      string `json:"until,omitempty"` // RFC 3339
	OpenMillis int64  `json:"open_for_ms,omitempty"`
	Outcomes   int    `json:"outcomes,omitempty"`
	Failures   int    `json:"failures,omitempty"`
	Downstream int    `json:"downstream,omitempty"`
	Probes     int    `json:"probes,omitempty"`
}

func viewBreaker(b client.BreakerInfo) breakerView {
	return breakerView{State: b.State.String(), ByHand: b.ByHand, Until: timeText(b.Until), OpenMillis: b.OpenFor.Milliseconds(),
		Outcomes: b.Outcomes, Failures: b.Failures, Downstream: b.Downstream, Probes: b.Probes}
}

func (b breakerView) text() string {
	switch b.State {
	case client.BreakerClosed.String():
		return fmt.Sprintf("closed: %d of the last %d attempts failed, %d in a row downstream", b.Failures, b.Outcomes, b.Downstream)
	case client.BreakerOpen.String():
		if b.ByHand {
			return "open, by hand: until it is closed"
		}
		return fmt.Sprintf("open until about %s, for %s", orNone(b.Until), millisText(b.OpenMillis))
	case client.BreakerHalfOpen.String():
		return fmt.Sprintf("half open: %d on trial now", b.Probes)
	}
	return b.State
}

func (a *app) breaker() *cobra.Command {
	return group("breaker", "Show, open and close circuit breakers of queues",
		a.breakerShow(), a.breakerSet(true), a.breakerSet(false))
}

func (a *app) breakerShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show QUEUE",
		Short: "Show a queue's circuit breaker",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			info, err := conn.Queue(ctx, args[0], readOptions(*stale)...)
			if err != nil {
				return err
			}
			v := viewBreaker(info.Breaker)
			if a.json() {
				return printJSON(a.Out, struct {
					Queue string `json:"queue"`
					breakerView
				}{args[0], v})
			}
			_, err = fmt.Fprintf(a.Out, "breaker of %s is %s\n", args[0], v.text())
			return err
		})
	}
	return a.remote(c)
}

func (a *app) breakerSet(open bool) *cobra.Command {
	c := &cobra.Command{
		Use:   "open QUEUE",
		Short: "Open a queue's circuit breaker: nothing is handed out until it is closed",
	}
	act, done := (*client.Conn).OpenBreaker, "opened"
	if !open {
		c.Use, c.Short = "close QUEUE", "Close a queue's circuit breaker and forget what opened it"
		act, done = (*client.Conn).CloseBreaker, "closed"
	}
	return a.actOnQueue(c, act, "breaker "+done)
}
