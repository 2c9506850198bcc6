package suite

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// errNoCPU means that this system does not tell a process's time.
var errNoCPU = errors.New("processor time of other processes is not known here")

// ticksPerSecond of /proc/PID/stat: 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuSeconds is what a process has used so far, user and system.
func cpuSeconds(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, errNoCPU
	}
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold spaces: count from behind it.
	_, rest, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: unexpected form", pid)
	}
	user, err1 := strconv.ParseUint(fields[11], 10, 64)
	system, err2 := strconv.ParseUint(fields[12], 10, 64)
	return float64(user+system) / ticksPerSecond, errors.Join(err1, err2)
}
