package store

import (
	"context"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// bridge gives a library its hclog.Logger and sends what it says to slog.
func bridge(to *slog.Logger, part string) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: part, Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(sink{to.With("part", part)})
	return l
}

type sink struct{ to *slog.Logger }

// Accept implements hclog.SinkAdapter.
func (s sink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case hclog.Info:
		to = slog.LevelInfo
	case hclog.Warn:
		to = slog.LevelWarn
	case hclog.Error:
		to = slog.LevelError
	}
	s.to.Log(context.Background(), to, msg, args...)
}
