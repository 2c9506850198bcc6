// Package ports finds ports of this machine for nodes that are killed and
// started again at the same addresses, and gives none twice: not in this
// process, nor, on Linux, to others that ask here, as tests of several packages
// do at once.
//
// It owns the choice alone: who is given a port listens there by itself.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken below the range from which the kernel gives ports to outgoing
// connections: a node that is down for a moment must find its own port free,
// and nobody who looks for it may reach itself there.
const (
	portMin   = 20_000
	portMax   = 32_000
	portTries = 1_000
)

var (
	mu    sync.Mutex
	taken = map[int]bool{} // by this process, for as long as it lives
)

// Free finds a port of 127.0.0.1 that is free for TCP and UDP, and its address.
func Free() (port int, address string, err error) {
	mu.Lock()
	defer mu.Unlock()
	var last error
	for range portTries {
		port := portMin + rand.IntN(portMax-portMin)
		if taken[port] {
			continue
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if last = errors.Join(probe(address), reserve(port)); last == nil {
			taken[port] = true
			return port, address, nil
		}
	}
	return 0, "", fmt.Errorf("no free port in %d tries: %w", portTries, last)
}

func probe(address string) error {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	return errors.Join(tcp.Close(), udp.Close())
}
