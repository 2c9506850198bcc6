package jepsen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is one run of a command. It is signalled only through its own
// handle, never by name.
type process struct {
	cmd     *exec.Cmd
	started chan error
	done    chan struct{}
	err     error // of Wait; read after done
}

// startProcess runs a command with its output appended to the file at logPath.
// The goroutine keeps its thread until the process has ended, because a parent's
// death signal goes out when the thread that started the child ends.
func startProcess(binary string, args []string, logPath string) (*process, error) {
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

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill sends SIGKILL and waits until the process is gone.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// stop sends SIGTERM and waits for a clean exit. When the context ends first
// the process is killed, and that is an error.
func (p *process) stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("did not stop on SIGTERM: %w", ctx.Err()), p.kill())
	}
}
