package lab

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ferrymq/ferrymq/jepsen/lab/clock"
	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// Clients is the host on the wire that is this process itself.
const Clients = "clients"

// Lab is the hosts of a run, the wire between them and the processes on them.
// It is safe for concurrent use.
type Lab struct {
	// Net is where the links between hosts are hurt.
	Net *wire.Net

	mu      sync.Mutex
	hosts   map[string]*Host
	running map[string]*process // the last process of each host
}

// Host is a network and a clock, for one process at a time.
type Host struct {
	*wire.Host
	Clock clock.Clock
}

var _ nodes.Starter = (*Lab)(nil).Start

// New makes a lab without hosts other than this process. The seed is the
// wire's.
func New(seed uint64) (*Lab, error) {
	if !Inside() {
		return nil, ErrNotInside
	}
	l := &Lab{Net: wire.New(seed), hosts: map[string]*Host{}, running: map[string]*process{}}
	if _, err := l.Net.Join(Clients); err != nil {
		return nil, errors.Join(err, l.Net.Close())
	}
	return l, nil
}

// AddHost makes a host.
func (l *Lab) AddHost(name string) (*Host, error) {
	w, err := l.Net.AddHost(name)
	if err != nil {
		return nil, err
	}
	h := &Host{Host: w}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts[name] = h
	return h, nil
}

// Host finds a host by its name, of those that AddHost made.
func (l *Lab) Host(name string) (*Host, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.hosts[name]; h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("%w: %q", wire.ErrNoHost, name)
}

// ErrBusy says that a host has a process already.
var ErrBusy = errors.New("a process runs there already")

// Start starts a process on the host with a name; it is a nodes.Starter. The
// process has the host's network and clock.
func (l *Lab) Start(name, binary string, args []string, logPath string) (nodes.Process, error) {
	h, err := l.Host(name)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.running[name]; p != nil && p.running() {
		return nil, fmt.Errorf("%w: %s", ErrBusy, name)
	}
	p, err := start(h, binary, args, logPath)
	if err != nil {
		return nil, err
	}
	l.running[name] = p
	return p, nil
}

// Close kills what still runs and ends the network.
func (l *Lab) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, p := range l.running {
		errs = append(errs, p.Kill())
	}
	for _, h := range l.hosts {
		errs = append(errs, h.Clock.Close())
	}
	return errors.Join(append(errs, l.Net.Close())...)
}
