package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is one run of a command. It is signalled only through its own
// handle, never by name.
type Process interface {
	Pid() int
	// Done is closed when the process has ended; Err then says how.
	Done() <-chan struct{}
	Err() error
	// Kill sends SIGKILL and waits until the process is gone.
	Kill() error
	// Stop sends SIGTERM and waits for exit status 0. When ctx ends first the
	// process is killed, and that is an error.
	Stop(ctx context.Context) error
	// Pause stops the process from running at all; Resume lets it go on.
	Pause() error
	Resume() error
}

// Starter starts a node's command, its output appended to the file at logPath.
type Starter func(name, binary string, args []string, logPath string) (Process, error)

// process is a child of this process.
type process struct {
	cmd     *exec.Cmd
	started chan error
	done    chan struct{}
	err     error // of Wait; read after done
}

// StartProcess is the Starter of processes that share everything with this one.
//
// The goroutine keeps its thread until the process has ended, because a
// parent's death signal goes out when the thread that started the child ends.
func StartProcess(_, binary string, args []string, logPath string) (Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(binary, args...), started: make(chan error, 1), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = dieWithParent()
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := p.cmd.Start()
		p.started <- err
		if err == nil {
			err = p.cmd.Wait()
		}
		p.err = errors.Join(err, log.Close())
	}()
	if err := <-p.started; err != nil {
		<-p.done
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return p, nil
}

func (p *process) Pid() int { return p.cmd.Process.Pid }

func (p *process) Done() <-chan struct{} { return p.done }

func (p *process) Err() error {
	<-p.done
	return p.err
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

func (p *process) Pause() error { return p.signal(pauseSignal) }

func (p *process) Resume() error { return p.signal(resumeSignal) }

func (p *process) signal(s os.Signal) error {
	if s == nil {
		return fmt.Errorf("pause a process: %w", errors.ErrUnsupported)
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
