package wire

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// OwnThread runs f in a goroutine on a thread of its own, which ends with it:
// whatever f does to the thread, such as entering a namespace, stays there. It
// is never the process's first thread, which cannot end and by which /proc
// tells the namespaces of the process.
func OwnThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return // locked, so that the thread ends
		}
		// While we hold the first thread, another goroutine gets another.
		began := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(began)
			f()
		}()
		<-began
		runtime.UnlockOSThread()
	}()
}

// onThread runs f like OwnThread, and waits for it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	OwnThread(func() { done <- f() })
	return <-done
}
