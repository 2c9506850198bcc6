package lab

import (
	"errors"
	"fmt"
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
	signals := make(chan os.Signal, signalsMax)
	signal.Notify(signals, passedOn...)
	go holdLifeline(signals) // until the exit
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare namespaces:", err)
		return statusBroken
	}
	c := again(stageInside)
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "start in namespaces:", err)
		return statusBroken
	}
	go passSignals(signals, func(s syscall.Signal) error { return c.Process.Signal(s) }) // until the exit
	return reap(c.Process.Pid)
}

// holdLifeline takes signals from the lifeline, and ends everything when it
// ends. The death signal does the same, but can be missed in the moment of the
// start, and does not reach through sudo.
func holdLifeline(signals chan<- os.Signal) {
	b := make([]byte, 1)
	for {
		// An error is an end too: then nobody could tell us.
		if n, err := os.Stdin.Read(b); n == 0 || err != nil {
			os.Exit(exitCode(syscall.WaitStatus(syscall.SIGKILL)))
		}
		signals <- syscall.Signal(b[0])
	}
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
