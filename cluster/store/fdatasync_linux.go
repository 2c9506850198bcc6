package store

import (
	"os"
	"syscall"
)

// fdatasync makes a file's bytes durable without its times, which spares the
// file system's journal.
func fdatasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
