package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) groups() *cobra.Command {
	return group("group", "Change message groups", a.groupResume())
}

func (a *app) groupResume() *cobra.Command {
	c := &cobra.Command{
		Use:   "resume QUEUE GROUP",
		Short: "Let a message group go on that is held because its head was dead-lettered",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			n, err := conn.ResumeGroup(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(a.Out, map[string]any{"queue": args[0], "group": args[1], "done": "resumed", "messages": n})
			}
			_, err = fmt.Fprintf(a.Out, "group %s of queue %s resumed: %d messages\n", args[1], args[0], n)
			return err
		})
	}
	return a.remote(c)
}

func (a *app) tenant() *cobra.Command {
	return group("tenant", "Change tenants of fair queues", a.tenantWeight())
}

func (a *app) tenantWeight() *cobra.Command {
	c := &cobra.Command{
		Use:   "weight QUEUE TENANT N",
		Short: "Set how many messages a tenant gets in its turn, 1 to 1000",
		Long: "Set how many messages a tenant gets in its turn, 1 to 1000; 1 if it was never set. `ferry\n" +
			"queue show` tells the others. The tenant '' is that of messages without one.",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		weight, err := strconv.Atoi(args[2])
		if err != nil || weight < 1 || weight > client.MaxTenantWeight {
			return usagef("tenant weight: N %q is no number within 1 and %d", args[2], client.MaxTenantWeight)
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.SetTenantWeight(ctx, args[0], args[1], weight); err != nil {
				return err
			}
			if a.json() {
				return printJSON(a.Out, map[string]any{"queue": args[0], "tenant": args[1], "done": "weighted", "weight": weight})
			}
			_, err := fmt.Fprintf(a.Out, "tenant %s of queue %s has weight %d\n", tenantText(args[1]), args[0], weight)
			return err
		})
	}
	return a.remote(c)
}
