package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// process is a child of this process in the network of a host, with the host's
// clock. It is signalled only through its own handle, never by name.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read after done
}

var _ nodes.Process = (*process)(nil)

// start runs a command on a host. Its goroutine has a thread of its own until
// the process has ended: the child inherits the network from that thread, which
// alone may set its clock and whose end would kill it.
func start(h *Host, binary string, args []string, logPath string) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	h.Clock.Prepare(p.cmd.SysProcAttr)
	started := make(chan error, 1)
	wire.OwnThread(func() {
		defer close(p.done)
		err := p.begin(h)
		started <- err
		if err == nil {
			err = p.cmd.Wait()
		}
		p.err = errors.Join(err, log.Close())
	})
	if err := <-started; err != nil {
		<-p.done
		return nil, fmt.Errorf("start %s on %s: %w", binary, h.Name, err)
	}
	return p, nil
}

// begin starts the command from the calling thread.
func (p *process) begin(h *Host) error {
	if err := h.Enter(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	if err := h.Clock.Install(p.cmd.Process.Pid); err != nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()         // says that it was killed
		return err
	}
	return nil
}

func (p *process) Pid() int { return p.cmd.Process.Pid }

func (p *process) Done() <-chan struct{} { return p.done }

func (p *process) Err() error {
	<-p.done
	return p.err
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (p *process) Stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("did not stop on SIGTERM: %w", ctx.Err()), p.Kill())
	}
}

func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

const (
	// stateMax is how long a process may take to stop or go on.
	stateMax = 5 * time.Second
	// statePoll is how often its state is looked at.
	statePoll = time.Millisecond
)

// Pause stops the process, and returns when every thread of it was seen to be
// stopped.
func (p *process) Pause() error {
	return p.signalUntil(syscall.SIGSTOP, func(stopped, threads int) bool { return stopped == threads })
}

// Resume lets the process go on, and returns when every thread was seen to.
func (p *process) Resume() error {
	return p.signalUntil(syscall.SIGCONT, func(stopped, _ int) bool { return stopped == 0 })
}

func (p *process) signalUntil(s syscall.Signal, reached func(stopped, threads int) bool) error {
	if !p.running() {
		return fmt.Errorf("%v: %w", s, os.ErrProcessDone)
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	deadline := time.Now().Add(stateMax)
	for {
		stopped, threads, err := threadStates(p.Pid())
		if err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		if threads > 0 && reached(stopped, threads) {
			return nil
		}
		if !p.running() {
			return fmt.Errorf("%v: %w", s, os.ErrProcessDone)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%v: after %v %d of %d threads are stopped", s, stateMax, stopped, threads)
		}
		time.Sleep(statePoll)
	}
}

// threadStates counts the threads of a process and those that are stopped. A
// thread that ends meanwhile is not counted.
func threadStates(pid int) (stopped, threads int, err error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The name before the state is in parentheses, and may hold any character.
		_, state, found := cutLast(string(text), ") ")
		if !found || state == "" {
			return 0, 0, fmt.Errorf("%s says %q", path, text)
		}
		threads++
		if state[0] == 'T' {
			stopped++
		}
	}
	return stopped, threads, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
