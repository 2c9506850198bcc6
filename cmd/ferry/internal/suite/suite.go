package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/load"
)

// Options of a run. Zero is the default where one is named.
type Options struct {
	Dir         string        // for data and logs; default: a temporary one
	LogStore    string        // wal
	Duration    time.Duration // of each measurement; 5 s
	Connections int           // 8
	Say         func(format string, args ...any)
}

func (o Options) withDefaults() Options {
	if o.LogStore == "" {
		o.LogStore = "wal"
	}
	if o.Duration == 0 {
		o.Duration = 5 * time.Second
	}
	if o.Connections == 0 {
		o.Connections = 8
	}
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	return o
}

// Validate returns every mistake, after defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if o.LogStore != config.LogStoreWAL && o.LogStore != config.LogStoreBolt {
		errs = append(errs, fmt.Errorf("--log-store: %q is neither %q nor %q", o.LogStore, config.LogStoreWAL, config.LogStoreBolt))
	}
	measured := load.Options{Connections: o.Connections, Duration: o.Duration}
	return errors.Join(append(errs, measured.Validate())...)
}

var sizes = []struct {
	name  string
	bytes int
}{{"1k", 1024}, {"128", 128}, {"16k", 16 << 10}}

// suite is a run under way.
type suite struct {
	o       Options
	ferry   *ferry
	alone   *alone
	figures map[string]float64
}

// Run measures everything and returns the figures by name. The processes are
// stopped and a temporary folder is removed, unless something failed: then the
// logs in it are kept, and the error names it.
func Run(ctx context.Context, o Options) (map[string]float64, error) {
	s := &suite{figures: map[string]float64{}}
	err := inFolder(o.withDefaults(), func(o Options) error {
		s.o = o
		return s.run(ctx)
	})
	return s.figures, err
}

// inFolder runs f with a folder, a temporary one if none was named.
func inFolder(o Options, f func(Options) error) error {
	own := o.Dir == ""
	if own {
		dir, err := os.MkdirTemp("", "ferry-bench-")
		if err != nil {
			return err
		}
		o.Dir = dir
	}
	if err := f(o); err != nil {
		return fmt.Errorf("%w (logs are in %s)", err, o.Dir)
	}
	if own {
		return os.RemoveAll(o.Dir)
	}
	return nil
}

func (s *suite) run(ctx context.Context) (err error) {
	s.o.Say("starting three nodes, and hashicorp/raft alone beside them, in %s", s.o.Dir)
	if s.ferry, err = startFerry(ctx, s.o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.ferry.stop()) }()
	if s.alone, err = startAlone(ctx, s.o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.alone.stop()) }()
	for _, size := range sizes {
		for _, step := range []func(context.Context, string, int) error{s.single, s.publish, s.endToEnd} {
			if err := errors.Join(ctx.Err(), step(ctx, size.name, size.bytes)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *suite) load(ctx context.Context, workload string, size, connections int) (load.Result, error) {
	r, err := load.Run(ctx, load.Options{
		URL: s.ferry.url, Workload: workload, Size: size, Connections: connections, Duration: s.o.Duration,
	}, nil)
	if err == nil && r.Errors > 0 {
		err = fmt.Errorf("%d errors, the first: %s", r.Errors, r.FirstError)
	}
	if err != nil {
		return r, fmt.Errorf("%s of %d bytes: %w", workload, size, err)
	}
	return r, nil
}

// single: one confirmed publish at a time, and one entry of raft alone, twice
// by turns, because the disk's mood changes.
func (s *suite) single(ctx context.Context, name string, size int) error {
	var ferry, alone, ferry99, alone99, rate float64
	const rounds = 2
	for range rounds {
		r, err := s.load(ctx, load.PublishSingle, size, 1)
		if err != nil {
			return err
		}
		a, err := s.alone.measure("single", size, s.o.Duration)
		if err != nil {
			return err
		}
		ferry, ferry99, rate = ferry+r.P50/rounds, ferry99+r.P99/rounds, rate+r.PerSecond/rounds
		alone, alone99 = alone+a.P50/rounds, alone99+a.P99/rounds
	}
	s.set("publish_"+name+"_single_p50_ms", ferry)
	s.set("publish_"+name+"_single_p99_ms", ferry99)
	s.set("publish_"+name+"_single_per_s", rate)
	s.set("raft_alone_"+name+"_single_p50_ms", alone)
	s.set("raft_alone_"+name+"_single_p99_ms", alone99)
	s.set("ratio_"+name+"_single_p50", ferry/alone)
	s.o.Say("%-4s one at a time: p50 %.2f ms, p99 %.2f ms; raft alone: p50 %.2f ms; ratio %.2f", name, ferry, ferry99, alone, ferry/alone)
	return nil
}

// publish: many connections, many in flight, and what it costs.
func (s *suite) publish(ctx context.Context, name string, size int) error {
	a, err := s.alone.measure("batched", size, s.o.Duration)
	if err != nil {
		return err
	}
	before, cpuErr := s.ferry.cpu()
	r, err := s.load(ctx, load.Publish, size, s.o.Connections)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("publish_%s_%dconn_", name, s.o.Connections)
	s.set(key+"per_s", r.PerSecond)
	s.set(key+"p50_ms", r.P50)
	s.set(key+"p99_ms", r.P99)
	s.set("raft_alone_"+name+"_batched_per_s", a.PerSecond)
	s.set("ratio_"+name+"_publish", r.PerSecond/a.PerSecond)
	s.o.Say("%-4s %d connections: %.0f/s, p50 %.1f ms, p99 %.1f ms; raft alone: %.0f/s; ratio %.2f",
		name, s.o.Connections, r.PerSecond, r.P50, r.P99, a.PerSecond, r.PerSecond/a.PerSecond)
	after, err := s.ferry.cpu()
	switch err = errors.Join(cpuErr, err); {
	case errors.Is(err, errNoCPU):
		s.o.Say("     %v", err)
	case err != nil:
		return err
	default:
		cost := (after - before) / float64(r.Total) * 1e6
		if size == 1024 {
			s.set("cpu_s_per_million_publish", cost)
		}
		s.set("cpu_s_per_million_publish_"+name, cost)
		s.o.Say("     %.1f s of processor time for a million, all three nodes together", cost)
	}
	return nil
}

func (s *suite) endToEnd(ctx context.Context, name string, size int) error {
	r, err := s.load(ctx, load.EndToEnd, size, max(s.o.Connections/2, 1))
	if err != nil {
		return err
	}
	s.set("e2e_"+name+"_per_s", r.PerSecond)
	s.set("e2e_"+name+"_p50_ms", r.P50)
	s.set("e2e_"+name+"_p99_ms", r.P99)
	s.o.Say("%-4s end to end: %.0f/s published, delivered and acked; p50 %.1f ms, p99 %.1f ms", name, r.PerSecond, r.P50, r.P99)
	return nil
}

func (s *suite) set(key string, v float64) { s.figures[key] = v }
