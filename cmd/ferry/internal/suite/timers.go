package suite

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/timers"
)

// Timers runs the workload of package timers on three nodes. As in Run, the
// folder is kept if something failed, also if the result is not good enough.
func Timers(ctx context.Context, o Options, t timers.Options) (result timers.Result, err error) {
	err = inFolder(o.withDefaults(), func(o Options) error {
		result, err = runTimers(ctx, o, t)
		return err
	})
	return result, err
}

func runTimers(ctx context.Context, o Options, t timers.Options) (result timers.Result, err error) {
	o.Say("starting three nodes in %s", o.Dir)
	f, err := startFerry(ctx, o)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	t.URL, t.Say = f.url, o.Say
	if result, err = timers.Run(ctx, t); err != nil {
		return result, err
	}
	return result, result.Verdict(t)
}
