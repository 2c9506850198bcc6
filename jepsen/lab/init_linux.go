package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/vishvananda/netlink"
)

// Dir is a folder that only this run sees and that ends with it: mount points
// and sockets belong here. It is in memory and small.
const Dir = "/dev/shm/lab"

// dirBytesMax bounds what lies in Dir and in shared memory.
const dirBytesMax = 64 << 20

// statusBroken is how a run ends that could not be isolated, like a shell's
// for what it cannot execute.
const statusBroken = 126

// runInit is process 1. Everything in the namespaces ends when it does.
func runInit() int {
	go endWithLifeline()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, passedOn...)
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare namespaces:", err)
		return statusBroken
	}
	c := again(stageInside)
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "start in namespaces:", err)
		return statusBroken
	}
	go passSignals(signals, c.Process) // until the exit
	return reap(c.Process.Pid)
}

// endWithLifeline ends everything when whoever started this process is gone.
// The death signal does the same, but can be missed in the moment of the start.
func endWithLifeline() {
	// An error is an end too: then nobody could tell us.
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(exitCode(syscall.WaitStatus(syscall.SIGKILL)))
}

// reap waits for every process that ends here, orphans too, until the run does.
func reap(run int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "wait for what runs in namespaces:", err)
			return statusBroken
		case pid == run && (status.Exited() || status.Signaled()):
			return exitCode(status)
		}
	}
}

// furnish gives the namespaces what a run needs. Nothing mounted from here on
// is seen outside.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	const plain = syscall.MS_NOSUID | syscall.MS_NODEV
	if err := syscall.Mount("proc", "/proc", "proc", plain|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	size := fmt.Sprintf("size=%d,mode=1777", dirBytesMax)
	if err := syscall.Mount("tmpfs", "/dev/shm", "tmpfs", plain, size); err != nil {
		return fmt.Errorf("mount /dev/shm: %w", err)
	}
	if err := os.Mkdir(Dir, 0o700); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	return netlink.LinkSetUp(lo)
}

func isPlace(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}
