package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

const progressEvery = 100 * time.Millisecond

// bar is a progress bar, or nothing if nobody watches.
type bar struct{ b *progressbar.ProgressBar }

// progress starts a bar over so many bytes (-1: not known) if a terminal is there.
func (a *app) progress(total int64, what string) *bar {
	if !a.Terminal {
		return &bar{}
	}
	return &bar{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(a.Err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(progressEvery),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)}
}

// progressCount starts a bar over so many messages (0: not known).
func (a *app) progressCount(total int64, what string) *bar {
	if !a.Terminal {
		return &bar{}
	}
	if total == 0 {
		total = -1
	}
	return &bar{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(a.Err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("messages"),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)}
}

// A bar that cannot be drawn is no reason to fail.

func (b *bar) add(n int) {
	if b.b != nil {
		_ = b.b.Add(n)
	}
}

func (b *bar) set(n uint64) {
	if b.b != nil {
		_ = b.b.Set64(int64(n))
	}
}

func (b *bar) finish() {
	if b.b != nil {
		_ = b.b.Finish()
	}
}
