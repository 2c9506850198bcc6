package lab

import "errors"

var (
	// ErrNotRoot says that the isolation needs root, which was not to be had.
	ErrNotRoot = errors.New("namespaces need root: run as root, or allow sudo without a password")
	// ErrNotLinux says that there are no namespaces on this system.
	ErrNotLinux = errors.New("namespaces need Linux")
	// ErrNotInside says that something was asked for that only a run behind
	// Enter may have.
	ErrNotInside = errors.New("this process is not isolated: Enter comes first")
)
