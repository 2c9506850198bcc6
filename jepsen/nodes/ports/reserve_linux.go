package ports

import (
	"fmt"
	"net"
)

// reserved are names of the kernel, one for each port taken, which it frees
// when this process ends, however that happens. They are of the network
// namespace, as ports are.
var reserved []net.Listener

// reserve keeps a port from other processes; the caller holds mu.
func reserve(port int) error {
	l, err := net.Listen("unix", fmt.Sprintf("@ferrymq/port/%d", port))
	if err == nil {
		reserved = append(reserved, l)
	}
	return err
}
