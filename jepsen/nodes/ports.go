package nodes

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken below the range from which the kernel gives ports to outgoing
// connections: a node that is down for a moment must find its own port free.
const (
	portMin   = 20_000
	portMax   = 32_000
	portTries = 1_000
)

var (
	portsMu    sync.Mutex
	portsTaken = map[int]bool{} // by this process, so that two clusters never share one
)

// freePort finds a port of 127.0.0.1 that is free for TCP and UDP.
func freePort() (int, error) {
	portsMu.Lock()
	defer portsMu.Unlock()
	var last error
	for range portTries {
		port := portMin + rand.IntN(portMax-portMin)
		if portsTaken[port] {
			continue
		}
		if last = probePort(port); last == nil {
			portsTaken[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port in %d tries: %w", portTries, last)
}

func probePort(port int) error {
	address := fmt.Sprintf("127.0.0.1:%d", port)
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
