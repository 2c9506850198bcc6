package serve

import (
	"io"
	"log/slog"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

// NewLogger makes the node's one log: everything, the libraries' words too,
// goes through it.
func NewLogger(c *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo // Validate lets nothing else through
	}
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, opts)
	if c.LogFormat == "json" {
		h = slog.NewJSONHandler(w, opts)
	}
	return slog.New(h)
}
