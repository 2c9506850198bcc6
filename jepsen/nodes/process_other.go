//go:build !linux

package nodes

import (
	"os"
	"syscall"
)

// Not every other system can pause a process.
var pauseSignal, resumeSignal os.Signal

// dieWithParent: other systems have no death signal; Cluster.Close does it.
func dieWithParent() *syscall.SysProcAttr { return nil }
