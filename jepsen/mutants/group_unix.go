//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// group makes the command the head of a process group of its own. Cancelled,
// the whole group is interrupted, as a terminal would do it, and once.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

// reap kills what is left of a cancelled command's group.
func reap(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // ESRCH: nothing is left
	}
}
