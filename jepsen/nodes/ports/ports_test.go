package ports

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoPortIsGivenTwice(t *testing.T) {
	seen := map[int]bool{}
	for range 100 {
		port, address, err := Free()
		require.NoError(t, err)
		require.False(t, seen[port])
		seen[port] = true
		require.Equal(t, fmt.Sprintf("127.0.0.1:%d", port), address)
	}
}

func TestWhatSomebodyUsesIsNotGiven(t *testing.T) {
	_, address, err := Free()
	require.NoError(t, err)
	l, err := net.ListenPacket("udp", address)
	require.NoError(t, err)
	require.Error(t, probe(address))
	require.NoError(t, l.Close())
	require.NoError(t, probe(address))
}
