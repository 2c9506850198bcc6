//go:build !unix

package cli

import "os/exec"

// There are no process groups here: only the command itself is killed.

func detach(*exec.Cmd) {}

func killGroup(c *exec.Cmd) error { return c.Process.Kill() }
