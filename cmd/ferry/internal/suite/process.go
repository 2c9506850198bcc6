package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const stopTimeout = 15 * time.Second

// process is a child of this program, from the same binary.
type process struct {
	cmd *exec.Cmd
	log *os.File
	in  io.WriteCloser
	out io.ReadCloser
}

// start runs the binary; its log goes to a file in dir.
func start(dir, name string, args ...string) (*process, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(binary, args...), log: log}
	p.cmd.Stderr = log
	in, out, err := p.pipes()
	if err == nil {
		p.in, p.out = in, out
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	return p, nil
}

func (p *process) pipes() (io.WriteCloser, io.ReadCloser, error) {
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := p.cmd.StdoutPipe()
	return in, out, err
}

// stop asks the process to end, and kills it if it does not.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.in.Close(); err != nil {
		return err
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() }) // Wait then says that it was
	defer timer.Stop()
	err := p.cmd.Wait()
	if err != nil {
		err = fmt.Errorf("%s: %w", p.log.Name(), err)
	}
	return errors.Join(err, p.log.Close())
}

// freeAddrs returns addresses on loopback that were free a moment ago.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all stay held until all are found, so that they differ
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
