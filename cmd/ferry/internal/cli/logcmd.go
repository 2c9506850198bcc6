package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/logdump"
)

func (a *app) log() *cobra.Command {
	return group("log", "Look into the log of a stopped node", a.logDump())
}

func (a *app) logDump() *cobra.Command {
	c := &cobra.Command{
		Use:   "dump",
		Short: "Print the Raft log of a stopped node, an entry a line",
		Long: "Print the Raft log of a stopped node, one JSON object a line: index, term, the two\n" +
			"clocks, and the commands that the state machine applies there, with the first 64\n" +
			"bytes of each message. Entries of Raft itself have no commands; one with \"void\"\n" +
			"has no effect. Secrets are not printed, message bodies are.\n\n" +
			"Nothing in the folder is changed or repaired. A torn end, as a crash leaves it, is\n" +
			"the end. What is at the end of one node's log may not be committed.\n\n" +
			"Exit codes: 3 no log there, 10 a running process has the folder, 11 some entries\n" +
			"are corrupt (all others were printed).",
		Example: "  ferry log dump --data /var/lib/ferry --from 1000 --to 2000\n" +
			"  ferry log dump --data /var/lib/ferry | jq -c 'select(.commands[]?.queue == \"jobs\")'",
	}
	var o logdump.Options
	f := c.Flags()
	f.StringVar(&o.Data, "data", a.env("FERRY_DATA", config.Default().Data), "the node's data folder (FERRY_DATA)")
	f.Uint32Var(&o.Group, "group", 0, "Raft group")
	f.Uint64Var(&o.From, "from", 0, "first index (default: the log's first)")
	f.Uint64Var(&o.To, "to", 0, "last index (default: the log's last)")
	f.IntVar(&o.Old, "old", 0, "read the log that a rebuild moved aside to group-G.old-N")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case o.Data == "":
			return usagef("--data is empty")
		case o.Old < 0:
			return usagef("--old: %d is negative", o.Old)
		case o.To != 0 && o.From > o.To:
			return usagef("--from %d is beyond --to %d", o.From, o.To)
		}
		if err := logdump.Dump(cmd.Context(), o, a.Out); err != nil {
			return fmt.Errorf("log dump: %w", err)
		}
		return nil
	}
	return c
}
