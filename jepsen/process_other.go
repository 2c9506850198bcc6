//go:build !linux

package jepsen

import "syscall"

// dieWithParent: other systems have no death signal; Cluster.Close does it.
func dieWithParent() *syscall.SysProcAttr { return nil }
