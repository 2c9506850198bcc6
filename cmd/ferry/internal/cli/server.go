package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/serve"
)

func (a *app) server() *cobra.Command {
	c := &cobra.Command{
		Use:   "server",
		Short: "Run a node",
		Long: "Run a node until it is told to stop (SIGTERM, SIGINT, SIGHUP): it hands leadership\n" +
			"over, finishes what is under way and ends with 0. A second SIGTERM or SIGINT ends it\n" +
			"at once.\n\n" +
			"Every flag is also an environment variable and a key of the file that --config\n" +
			"names. A flag wins over the environment, that over the file.",
	}
	c.Flags().SortFlags = false
	flags := config.Register(c.Flags())
	show := c.Flags().Bool("print-config", false, "print the settings that would hold, as a file for --config, and end")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := config.Load(flags, a.Env)
		if err != nil {
			return usageError{err}
		}
		if *show {
			_, err := fmt.Fprint(a.Out, settings.Print())
			return err
		}
		return serve.Run(cmd.Context(), settings, serve.NewLogger(settings, a.Err), Version)
	}
	return c
}
