package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
)

// takes judges the arguments of a command by its line of use, before anything
// is done: how many there are, and whether there could be what they name.
func takes(use string) cobra.PositionalArgs {
	words := strings.Fields(use)[1:]
	return func(c *cobra.Command, args []string) error {
		path := pathOf(c)
		for i, arg := range args {
			if i >= len(words) && (len(words) == 0 || !strings.HasSuffix(words[len(words)-1], "...")) {
				return usagef("%s: one argument too many: %q", path, arg)
			}
			word := strings.Trim(words[min(i, len(words)-1)], "[.]")
			if fault := argumentFault(word, arg); fault != "" {
				return usagef("%s: %s %q: %s", path, word, arg, fault)
			}
		}
		if n := len(args); n < len(words) && !strings.HasPrefix(words[n], "[") {
			return usagef("%s: %s is missing", path, strings.Trim(words[n], "."))
		}
		return nil
	}
}

// pathOf is a command's name as it is called, without the program's.
func pathOf(c *cobra.Command) string {
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
}

// argumentFault says why an argument can be none of its kind, "" if it can.
func argumentFault(word, arg string) string {
	switch word {
	case "NAME", "QUEUE", "TOPIC":
		return nameFault(arg)
	case "GROUP", "NODE":
		if arg == "" {
			return "it is empty"
		}
		return textFault(arg)
	case "TENANT":
		return textFault(arg)
	}
	return ""
}

func nameFault(name string) string { return detailOf(client.CheckName(name)) }

// detailOf is what an error of the client says without its operation.
func detailOf(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Detail
	}
	return ""
}
