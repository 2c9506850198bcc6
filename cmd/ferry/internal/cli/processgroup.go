//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach has a command run in a session of its own, and so in a process group of
// its own. It has no terminal: to open one fails, where a mere group in the
// background would be stopped for ever at the first read.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// killGroup kills a started command and what it started, unless that has left
// the group.
func killGroup(c *exec.Cmd) error {
	err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
