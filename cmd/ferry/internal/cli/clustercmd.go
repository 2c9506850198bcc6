package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

func (a *app) cluster() *cobra.Command {
	return group("cluster", "Inspect and change the cluster",
		a.clusterStatus(), a.clusterTransfer(), a.clusterRemove())
}

func (a *app) clusterStatus() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show groups, members and leaders",
	}
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			info, err := conn.Cluster(ctx, readOptions(*stale)...)
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(a.Out, viewCluster(info))
			}
			return a.printCluster(info)
		})
	}
	return a.remote(c)
}

func (a *app) printCluster(info client.ClusterInfo) error {
	if _, err := fmt.Fprintf(a.Out, "cluster %s, answered by %s\n", info.ClusterID, info.Node); err != nil {
		return err
	}
	for _, g := range info.Groups {
		if _, err := fmt.Fprintf(a.Out, "\ngroup %d: leader %s, term %d, commit %d, applied %d\n",
			g.Group, orNone(g.Leader), g.Term, g.CommitIndex, g.AppliedIndex); err != nil {
			return err
		}
		if len(g.Alarms) > 0 {
			if _, err := fmt.Fprintf(a.Out, "alarms: %s\n", strings.Join(g.Alarms, ", ")); err != nil {
				return err
			}
		}
		rows := make([][]string, 0, len(g.Members))
		for _, m := range g.Members {
			rows = append(rows, []string{m.Node, role(m), healthText(m), strconv.FormatUint(m.LastIndex, 10),
				contact(m.LastContact), m.Addr, m.ClientAddr, m.ServerID})
		}
		head := []string{"NODE", "ROLE", "HEALTH", "LAST INDEX", "CONTACT", "ADDRESS", "FOR CLIENTS", "SERVER ID"}
		if err := table(a.Out, head, rows); err != nil {
			return err
		}
	}
	return nil
}

func role(m client.MemberInfo) string {
	switch {
	case m.Leader:
		return "leader"
	case m.Voter:
		return "voter"
	default:
		return "non-voter"
	}
}

func healthText(m client.MemberInfo) string {
	if m.Healthy {
		return "healthy"
	}
	return "unhealthy"
}

func contact(ago time.Duration) string {
	if ago < 0 {
		return "unknown"
	}
	return ago.Round(time.Millisecond).String()
}

func (a *app) clusterTransfer() *cobra.Command {
	c := &cobra.Command{
		Use:   "transfer-leader [NODE]",
		Short: "Hand leadership to a node, or to any",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		node := ""
		if len(args) == 1 {
			node = args[0]
		}
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.TransferLeader(ctx, node); err != nil {
				return err
			}
			if node == "" {
				node = "another node"
			}
			return a.done("leadership to", node, "transferred")
		})
	}
	return a.remote(c)
}

func (a *app) clusterRemove() *cobra.Command {
	c := &cobra.Command{
		Use:   "remove NODE",
		Short: "Remove a node from the cluster for good",
		Long: "Remove a node from the cluster for good. It stops with exit code 13 when it\n" +
			"learns of it. To come back it needs an empty data folder.",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			if err := conn.RemoveNode(ctx, args[0]); err != nil {
				return err
			}
			return a.done("node", args[0], "removed")
		})
	}
	return a.remote(c)
}
