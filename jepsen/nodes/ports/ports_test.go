package ports

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
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

// triesVariable makes this program try to reserve a port, as another process.
const triesVariable = "FERRY_PORTS_TEST_TRIES"

func TestMain(m *testing.M) {
	if port := 0; os.Getenv(triesVariable) != "" {
		if _, err := fmt.Sscan(os.Getenv(triesVariable), &port); err != nil {
			panic(err) // the test gives a number
		}
		if reserve(port) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestNoPortIsGivenToTwoProcesses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing keeps a port from others here")
	}
	port, _, err := Free()
	require.NoError(t, err)
	other := func(port int) error {
		c := exec.Command("/proc/self/exe")
		c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", triesVariable, port))
		return c.Run()
	}
	require.Error(t, other(port))
	require.NoError(t, other(portMax), "which nobody has")
}
