//go:build !linux

package lab

// Enter isolates a run; here it cannot.
func Enter() error { return ErrNotLinux }

// Inside tells whether this process is isolated.
func Inside() bool { return false }
