package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// enterBySudo starts this program as root. sudo closes all but the standard
// files, hence the lifeline is one of those.
func enterBySudo() error {
	sudo, err := exec.LookPath("sudo")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotRoot, err)
	}
	if text, err := exec.Command(sudo, "-n", "-E", "true").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %w: %s", ErrNotRoot, err, strings.TrimSpace(string(text)))
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	c := again(stageRoot)
	c.Path, c.Args = sudo, append([]string{"sudo", "-n", "-E", "--", program}, os.Args[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return enterWithLifeline(c)
}
