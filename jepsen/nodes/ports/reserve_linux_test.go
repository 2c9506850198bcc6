package ports

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

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
