//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// group: other systems have no process groups.
func group(cmd *exec.Cmd) { cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } }

func reap(*exec.Cmd) {}
