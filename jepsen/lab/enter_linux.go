package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// A run is a chain of processes of the same program, told apart by this
// variable, which each stage takes out of its environment:
//
//	"" or root   what the user started, perhaps by sudo: waits, passes signals on
//	init         process 1 of the new namespaces: mounts, reaps orphans
//	inside       the run itself: Enter returns
//
// Standard input is the lifeline of root and init: what the user started writes
// into it the number of each signal that is to be passed on, a byte, and it ends
// when that process is gone, however it went.
const stageVariable = "FERRY_LAB_STAGE"

const (
	stageRoot   = "root"
	stageInit   = "init"
	stageInside = "inside"
)

// namespaces that a run has for itself.
const namespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
	syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

var inside bool

// Inside tells whether this process is isolated.
func Inside() bool { return inside }

// Enter isolates the run. It starts this program again in namespaces of its
// own, with the same arguments and output, and returns nil only there; out
// here it passes signals in and ends with the status of what it started (128
// and the signal's number if a signal ended it, like a shell). When this
// process is gone, the kernel ends everything inside. Standard input is empty
// inside.
//
// It belongs at the beginning of main or TestMain, before any goroutine. An
// error says why there is no isolation; nothing was started then.
func Enter() error {
	stage := os.Getenv(stageVariable)
	if err := os.Unsetenv(stageVariable); err != nil {
		return err
	}
	switch {
	case inside:
		return nil
	case stage == stageInit && os.Getpid() == 1:
		os.Exit(runInit())
	case stage == stageInside && isPlace(Dir) && os.Getppid() == 1:
		inside = true
		return nil
	case os.Geteuid() != 0:
		return enterBySudo()
	}
	return enterNamespaces(stage == stageRoot)
}

// again is this program once more, at another stage.
func again(stage string) *exec.Cmd {
	return &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args,
		Env:    append(os.Environ(), stageVariable+"="+stage),
		Stdout: os.Stdout, Stderr: os.Stderr,
	}
}

// enterNamespaces starts the init stage and ends with it. The thread stays
// locked, because the death signal goes out when the thread that started the
// child ends. The child has a process group of its own, so that a key pressed
// at a terminal reaches it once, through here.
func enterNamespaces(hasLifeline bool) error {
	runtime.LockOSThread()
	c := again(stageInit)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if hasLifeline {
		c.Stdin = os.Stdin
		return enter(c, func(s syscall.Signal) error { return c.Process.Signal(s) })
	}
	return enterWithLifeline(c)
}

// enterWithLifeline is enter for what the user started. It passes signals by
// the lifeline, because nobody but root may send them to sudo.
func enterWithLifeline(c *exec.Cmd) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Stdin = read
	err = enter(c, func(s syscall.Signal) error {
		_, err := write.Write([]byte{byte(s)})
		return err
	})
	return errors.Join(err, read.Close(), write.Close())
}

// enter runs the next stage and does not return, unless it could not start it.
func enter(c *exec.Cmd, pass func(syscall.Signal) error) error {
	signals := make(chan os.Signal, signalsMax)
	signal.Notify(signals, passedOn...)
	if err := c.Start(); err != nil {
		signal.Stop(signals)
		return fmt.Errorf("start in namespaces: %w", err)
	}
	go passSignals(signals, pass) // until the exit below
	err := c.Wait()
	if c.ProcessState == nil {
		return fmt.Errorf("wait for what runs in namespaces: %w", err)
	}
	os.Exit(exitCode(c.ProcessState.Sys().(syscall.WaitStatus)))
	return nil
}

// passedOn are the signals that are meant for what runs inside.
var passedOn = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
}

// signalsMax bounds the signals that wait to be passed on.
const signalsMax = 8

func passSignals(signals <-chan os.Signal, pass func(syscall.Signal) error) {
	for s := range signals {
		if pass(s.(syscall.Signal)) != nil {
			return // it has ended, and so shall we
		}
	}
}

// exitCode is what a shell says of a status.
func exitCode(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}
