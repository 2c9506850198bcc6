package load

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Workloads.
const (
	Publish       = "publish"        // as fast as confirms let, many in flight
	PublishSingle = "publish-single" // each connection waits for each confirm
	EndToEnd      = "e2e"            // published, delivered and acked
)

// Workloads lists them.
func Workloads() []string { return []string{Publish, PublishSingle, EndToEnd} }

// Bounds and defaults.
const (
	SizeMin        = 16 // a time and a number
	SizeMax        = 1 << 20
	ConnectionsMax = 256
	WindowMax      = 12_000

	defaultSize     = 1024
	defaultDuration = 10 * time.Second
	defaultWindow   = 2048
	warmup          = time.Second
	windowBytes     = 4 << 20 // in flight on a connection; more only waits longer

	// backlogPerConnection bounds, in the end-to-end workload, what is
	// confirmed and not yet acked: the machine is measured, not its memory.
	backlogPerConnection = 4096
	prefetch             = 2048
	drainTimeout         = 30 * time.Second
)

// Options of a run. Zero is the default where one is named.
type Options struct {
	URL         string
	Workload    string
	Size        int           // of a body, bytes; 1,024
	Connections int           // 8; 1 for publish-single
	Duration    time.Duration // of measuring, after a second of warming up; 10 s
	Count       uint64        // ends earlier after so many messages; 0: no bound
	Window      int           // messages in flight on a connection; 2,048
	Queue       string        // default: one of its own, deleted at the end
	Timeout     time.Duration // of connecting and of a request; 10 s
}

func (o Options) withDefaults() Options {
	if o.Workload == "" {
		o.Workload = Publish
	}
	if o.Size == 0 {
		o.Size = defaultSize
	}
	if o.Connections == 0 {
		o.Connections = 8
		if o.Workload == PublishSingle {
			o.Connections = 1
		}
	}
	if o.Duration == 0 {
		o.Duration = defaultDuration
	}
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return o
}

// Validate returns every mistake, after defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	between := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("--%s: %d is not between %d and %d", name, v, low, high))
		}
	}
	if !slices.Contains(Workloads(), o.Workload) {
		errs = append(errs, fmt.Errorf("--workload: %q is none of %q", o.Workload, Workloads()))
	}
	between("size", o.Size, SizeMin, SizeMax)
	between("connections", o.Connections, 1, ConnectionsMax)
	between("window", o.Window, 1, WindowMax)
	if o.Duration < 0 {
		errs = append(errs, fmt.Errorf("--duration: %s is negative", o.Duration))
	}
	return errors.Join(errs...)
}
