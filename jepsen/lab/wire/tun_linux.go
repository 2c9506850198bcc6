package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	deviceName = "wire0"
	// deviceQueue is how many packets wait for the switch in a device.
	deviceQueue = 1_000
)

// newNamespace makes a network namespace, which lives as long as it is open
// somewhere or has a process.
func newNamespace() (ns netns.NsHandle, err error) {
	err = onThread(func() error {
		ns, err = netns.New()
		return err
	})
	return ns, err
}

// openDevice makes a TUN device with an address in a namespace, and brings it up.
func openDevice(ns netns.NsHandle, address netip.Prefix) (tun *os.File, fd int, err error) {
	err = onThread(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("enter the namespace: %w", err)
		}
		if tun, fd, err = openTUN(); err != nil {
			return err
		}
		if err := configure(address); err != nil {
			return errors.Join(err, tun.Close())
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return tun, fd, nil
}

// openTUN makes a device of whole IP packets. It is told that we can take
// packets without a checksum and segments of any size: the other end is a
// kernel too, which takes them as they are. The file owns the descriptor.
func openTUN() (tun *os.File, fd int, err error) {
	fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(deviceName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("make a TUN device: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "tun"), fd, nil
}

func configure(address netip.Prefix) error {
	for _, name := range []string{"lo", deviceName} {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		if name == deviceName {
			mask := net.CIDRMask(address.Bits(), address.Addr().BitLen())
			a := &netlink.Addr{IPNet: &net.IPNet{IP: address.Addr().AsSlice(), Mask: mask}}
			if err := netlink.AddrAdd(l, a); err != nil {
				return fmt.Errorf("give %s the address %v: %w", name, address, err)
			}
			if err := netlink.LinkSetTxQLen(l, deviceQueue); err != nil {
				return fmt.Errorf("give %s a queue: %w", name, err)
			}
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return fmt.Errorf("bring %s up: %w", name, err)
		}
	}
	return nil
}
