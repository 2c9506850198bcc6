//go:build linux

package jepsen

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/lab"
)

// A run that is interrupted, however roughly, leaves no process and no mount.
func TestInterruptedRunLeavesNothing(t *testing.T) {
	ferry, err := ferryBinary()
	require.NoError(t, err)
	for name, how := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "interrupted": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			// The program is known again by where it lies.
			own := filepath.Join(t.TempDir(), "ferry")
			require.NoError(t, os.Link(ferry, own))
			before := mountsHere(t)
			report := t.TempDir()
			run := exec.Command(own, "jepsen", "run", "--nemesis", "none", "--time", "1m", "--dir", report)
			require.NoError(t, run.Start())
			require.Eventually(t, func() bool { return servers(t, own) == 3 }, time.Minute, 50*time.Millisecond,
				"a run as root, or with sudo without a password, starts three nodes")
			require.Eventually(t, func() bool { // then the nodes are busy with their disks
				said, err := os.ReadFile(filepath.Join(report, "001-none", "harness.log"))
				return err == nil && strings.Contains(string(said), "hurting")
			}, time.Minute, 50*time.Millisecond)
			require.NoError(t, run.Process.Signal(how))
			require.Error(t, run.Wait())
			require.Eventually(t, func() bool { return processes(t, own) == 0 }, time.Minute, 50*time.Millisecond)
			require.Equal(t, before, mountsHere(t))
		})
	}
}

// mountsHere are the mounts of this project, which have its name in their kind
// or in their path, or are the lab's.
func mountsHere(t *testing.T) string {
	b, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	var ours strings.Builder
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "ferry") || strings.Contains(line, lab.Dir) { // others may come and go beside a test
			ours.WriteString(line)
		}
	}
	return ours.String()
}

// servers counts the nodes that run a program, processes everything that does.
func servers(t *testing.T, program string) int {
	return count(t, func(args []string) bool { return args[0] == program && len(args) > 1 && args[1] == "server" })
}

func processes(t *testing.T, program string) int {
	return count(t, func(args []string) bool { return args[0] == program })
}

// count counts processes by their command lines, zombies not among them.
func count(t *testing.T, is func(args []string) bool) int {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	n := 0
	for _, path := range lines {
		// A process that has just ended is none.
		if b, err := os.ReadFile(path); err == nil && is(strings.Split(string(b), "\x00")) {
			n++
		}
	}
	return n
}
