// Command ferry is FerryMQ: the server, and the tools around it.
package main

import (
	"os"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/cli"
)

func main() { os.Exit(cli.Main()) }
