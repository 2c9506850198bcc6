package cli

import (
	"errors"
	"os/exec"
	"sync"
)

// started are the commands that this process runs. They are in sessions of their
// own, which no signal of the terminal reaches: when the process ends, it ends
// them.
var started groups

var errEnding = errors.New("the program is ending")

// groups are running commands, each with all that it started.
type groups struct {
	mu     sync.Mutex
	closed bool
	all    map[*exec.Cmd]struct{}
}

// run runs a command and waits for it. What it started ends with its context,
// and does not outlive its failure.
func (g *groups) run(c *exec.Cmd) error {
	detach(c)
	c.Cancel = func() error { return killGroup(c) }
	if err := g.start(c); err != nil {
		return err
	}
	err := c.Wait()
	g.mu.Lock()
	delete(g.all, c)
	g.mu.Unlock()
	if err != nil {
		_ = killGroup(c) // mostly nothing is left
	}
	return err
}

// start holds the mutex meanwhile: what kill does not see is never started.
func (g *groups) start(c *exec.Cmd) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errEnding
	}
	if err := c.Start(); err != nil {
		return err
	}
	if g.all == nil {
		g.all = map[*exec.Cmd]struct{}{}
	}
	g.all[c] = struct{}{}
	return nil
}

// kill ends all of them at once. None is started any more.
func (g *groups) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for c := range g.all {
		_ = killGroup(c) // it may just have ended
	}
}
