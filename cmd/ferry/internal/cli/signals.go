package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal is a context that the first signal to end ends. A second one ends
// the process at once, as SIGQUIT does, and the commands that it runs. A hangup is
// never the second: who closes a terminal sends it twice.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	ends := make(chan os.Signal, 2)
	signal.Notify(ends, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(ends, syscall.SIGHUP)
	}
	quits := make(chan os.Signal, 1)
	signal.Notify(quits, syscall.SIGQUIT)
	go func() { // for as long as the process lives
		for asked := false; ; asked = true {
			select {
			case s := <-ends:
				if asked && s != syscall.SIGHUP {
					started.kill()
					os.Exit(ExitFailed)
				}
				stop()
			case <-quits:
				started.kill()
				dump()
			}
		}
	}()
	return ctx, stop
}

// surviveBrokenPipes has a write to a pipe that nobody reads fail: without it the
// process dies of the first one, and its commands go on.
func surviveBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// dump ends the process as SIGQUIT does if nobody handles it: with a stack of
// every goroutine.
func dump() {
	signal.Reset(syscall.SIGQUIT)
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGQUIT)
	}
	if err != nil {
		panic(err)
	}
	select {}
}
