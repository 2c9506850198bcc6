package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netns"
)

const (
	// hostsMax bounds a network.
	hostsMax = 32
	// prefixBits is the size of the network's address.
	prefixBits = 24
)

// addressOf is the address of the host with a number, beginning at 1.
func addressOf(number int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(number)}) }

var (
	// ErrNoHost says that no host has a name.
	ErrNoHost = errors.New("no such host")
	// ErrHosts says that a host is one too many, or its name is taken.
	ErrHosts = errors.New("no place for the host")
)

// Net is a switch between hosts. Each host has a goroutine that reads what it
// sends and one for what is late; Close stops them. It is safe for concurrent
// use.
type Net struct {
	seed  uint64
	table [hostsMax + 1]atomic.Pointer[Host] // by the last byte of the address

	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	hosts  []*Host // the host with number i at i-1
	failed []error // of goroutines
}

// New makes a network without hosts.
func New(seed uint64) *Net {
	n := &Net{seed: seed}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// AddHost makes a namespace and joins it to the network.
func (n *Net) AddHost(name string) (*Host, error) { return n.add(name, newNamespace) }

// Join joins the namespace that this process is in.
func (n *Net) Join(name string) (*Host, error) { return n.add(name, netns.Get) }

func (n *Net) add(name string, namespace func() (netns.NsHandle, error)) (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %q comes after the end", ErrHosts, name)
	}
	number := len(n.hosts) + 1
	if number > hostsMax {
		return nil, fmt.Errorf("%w: %q would be more than %d", ErrHosts, name, hostsMax)
	}
	if n.find(name) != nil {
		return nil, fmt.Errorf("%w: %q is there already", ErrHosts, name)
	}
	ns, err := namespace()
	if err != nil {
		return nil, fmt.Errorf("namespace of %s: %w", name, err)
	}
	h, err := newHost(n, name, ns, number)
	if err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	n.hosts = append(n.hosts, h)
	n.table[number].Store(h)
	n.ended.Go(func() { n.fail(h.read()) })
	n.ended.Go(func() { h.late.run(n.ctx) })
	return h, nil
}

func (n *Net) fail(err error) {
	if err == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = append(n.failed, err)
}

// find is called with the lock.
func (n *Net) find(name string) *Host {
	for _, h := range n.hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Host finds a host by its name.
func (n *Net) Host(name string) (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.find(name); h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrNoHost, name)
}

// Set puts a rule in place of the one that holds on the link from one host to
// another. A packet in the switch at this moment may still go by the old one.
func (n *Net) Set(from, to string, r Rule) error {
	if err := r.validate(); err != nil {
		return err
	}
	f, err := n.Host(from)
	if err != nil {
		return err
	}
	t, err := n.Host(to)
	if err != nil {
		return err
	}
	rule := &f.links[t.number()].rule
	if r == (Rule{}) {
		rule.Store(nil)
	} else {
		rule.Store(&r)
	}
	return nil
}

// number is the last byte of the host's address.
func (h *Host) number() int { return int(h.IP.As4()[3]) }

// Heal takes every rule away. What is late arrives late.
func (n *Net) Heal() {
	n.eachLink(func(_ Link, l *link) { l.rule.Store(nil) })
}

// Counters reads the counters of every link that was used.
func (n *Net) Counters() map[Link]Counters {
	all := map[Link]Counters{}
	n.eachLink(func(name Link, l *link) {
		if c := l.count.read(); c != (Counters{}) {
			all[name] = c
		}
	})
	return all
}

func (n *Net) eachLink(visit func(Link, *link)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, from := range n.hosts {
		for _, to := range n.hosts {
			if from != to {
				visit(Link{from.Name, to.Name}, &from.links[to.number()])
			}
		}
	}
}

// Close ends the network. The hosts' namespaces are gone when the last process
// in them is.
func (n *Net) Close() error {
	n.cancel()
	n.mu.Lock()
	hosts := n.hosts
	n.mu.Unlock()
	var errs []error
	for _, h := range hosts {
		errs = append(errs, h.tun.SetReadDeadline(time.Unix(1, 0)))
	}
	n.ended.Wait()
	for _, h := range hosts {
		errs = append(errs, h.close())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts = nil
	return errors.Join(append(errs, n.failed...)...)
}
