package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is a network namespace with an address on the wire.
type Host struct {
	Name string
	IP   netip.Addr

	net   *Net
	ns    netns.NsHandle
	tun   *os.File
	fd    int                // of tun; open until nobody writes any more
	links [hostsMax + 1]link // by the last byte of the receiver's address
	late  *late
}

func newHost(n *Net, name string, ns netns.NsHandle, number int) (*Host, error) {
	h := &Host{Name: name, IP: addressOf(number), net: n, ns: ns}
	tun, fd, err := openDevice(ns, netip.PrefixFrom(h.IP, prefixBits))
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", name, err)
	}
	h.tun, h.fd = tun, fd
	for to := range h.links {
		h.links[to].random = rand.New(rand.NewPCG(n.seed, uint64(number)<<32|uint64(to)))
	}
	h.late = newLate(h.arrive)
	return h, nil
}

// Enter moves the calling thread into the host's network. The caller is on a
// thread of its own (OwnThread).
func (h *Host) Enter() error {
	if err := netns.Set(h.ns); err != nil {
		return fmt.Errorf("enter the network of %s: %w", h.Name, err)
	}
	return nil
}

// Do runs f in the host's network, on a thread of its own. What f opens stays
// there: a connection or listener may be used outside of Do.
func (h *Host) Do(f func() error) error {
	return onThread(func() error {
		if err := h.Enter(); err != nil {
			return err
		}
		return f()
	})
}

// read forwards what the host sends until the device's deadline, which the Net
// sets when it ends. It reads until nothing is there before it waits.
func (h *Host) read() error {
	raw, err := h.tun.SyscallConn()
	if err != nil {
		return err
	}
	buf := make(frame, frameBytesMax)
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, err := unix.Read(int(fd), buf)
			switch {
			case errors.Is(err, unix.EAGAIN):
				return false
			case errors.Is(err, unix.EINTR):
			case err != nil:
				failed = err
				return true
			default:
				h.forward(buf[:n])
			}
			if h.net.ctx.Err() != nil {
				return true
			}
		}
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, failed)
}

// forward sends one packet on its way. What is for nobody is dropped, as are
// packets of IPv6, by which kernels look for routers.
func (h *Host) forward(f frame) {
	if !f.ipv4() || int(f.to()) > hostsMax {
		return
	}
	to := f.to()
	receiver := h.net.table[to].Load()
	if receiver == nil || receiver.IP.As4() != [4]byte(f.packet()[16:20]) {
		return
	}
	l := &h.links[to]
	r := l.rule.Load()
	if r == nil {
		receiver.take(l, f)
		return
	}
	d := l.judge(r, f, time.Now())
	if d.drop {
		h.answer(l, r, f)
		return
	}
	for range d.copies {
		if d.at.IsZero() {
			receiver.take(l, f)
		} else if !h.late.add(l, to, f, d.at) {
			l.count.overflowed.Add(1)
		}
	}
}

// answer tells the sender of a blocked packet so, if the rule wants that.
func (h *Host) answer(l *link, r *Rule, f frame) {
	if !r.Block || !r.Reset {
		return
	}
	reset := f.reset()
	if reset == nil {
		return
	}
	l.count.reset.Add(1) // before: who gets it finds it counted
	if _, err := unix.Write(h.fd, reset); err != nil {
		l.count.reset.Add(-1)
	}
}

// arrive is the end of a packet's delay.
func (h *Host) arrive(l letter) {
	if r := l.link.rule.Load(); r != nil && r.Block {
		l.link.count.blocked.Add(1)
		return
	}
	if to := h.net.table[l.to].Load(); to != nil {
		to.take(l.link, l.frame)
	}
}

// take writes a packet that came by a link to the host's device.
func (h *Host) take(l *link, f frame) {
	size := int64(len(f) - frameHeaderBytes)
	l.count.delivered.Add(1) // before: who receives it finds it counted
	l.count.bytes.Add(size)
	for {
		_, err := unix.Write(h.fd, f)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			l.count.delivered.Add(-1)
			l.count.bytes.Add(-size)
			l.count.refused.Add(1)
		}
		return
	}
}

// close is called when nobody writes to the device any more. The namespace
// lives on while a process is in it.
func (h *Host) close() error { return errors.Join(h.tun.Close(), h.ns.Close()) }
