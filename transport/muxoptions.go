package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// MuxOptions of a Mux. Zero means the default.
type MuxOptions struct {
	// PrefaceTimeout is how long a connection may take to send its preface.
	// Default 5 s.
	PrefaceTimeout time.Duration
	// PendingMax is how many connections may be without a preface; one more
	// closes the oldest of them. Default 2,048.
	PendingMax int
	// ClientsMax is how many client connections are held. Default 16,384.
	ClientsMax int
	// NodesMax is how many connections of nodes, peers and Raft together, are
	// held. They are counted apart, so that clients cannot shut nodes out.
	// Default 1,024.
	NodesMax int
	// Log takes what goes wrong with connections, at debug level. Default: nowhere.
	Log *slog.Logger
}

func (o MuxOptions) withDefaults() MuxOptions {
	if o.PrefaceTimeout == 0 {
		o.PrefaceTimeout = 5 * time.Second
	}
	if o.PendingMax == 0 {
		o.PendingMax = 2048
	}
	if o.ClientsMax == 0 {
		o.ClientsMax = 16384
	}
	if o.NodesMax == 0 {
		o.NodesMax = 1024
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate returns every mistake.
func (o MuxOptions) Validate() error {
	var errs []error
	if o.PrefaceTimeout < 0 {
		errs = append(errs, fmt.Errorf("transport: PrefaceTimeout %v is negative", o.PrefaceTimeout))
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"PendingMax", o.PendingMax}, {"ClientsMax", o.ClientsMax}, {"NodesMax", o.NodesMax}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("transport: %s %d is negative", n.name, n.value))
		}
	}
	return errors.Join(errs...)
}
