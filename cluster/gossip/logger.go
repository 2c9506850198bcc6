package gossip

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// bridge gives memberlist the log.Logger that it wants and sends each line to
// slog at the level in its prefix ("[WARN] memberlist: ...").
func bridge(to *slog.Logger) *log.Logger {
	return log.New(&lines{to}, "", 0)
}

type lines struct{ to *slog.Logger }

var levels = map[string]slog.Level{
	"DEBUG": slog.LevelDebug,
	"INFO":  slog.LevelInfo,
	"WARN":  slog.LevelWarn,
	"ERR":   slog.LevelError,
	"ERROR": slog.LevelError,
}

func (l *lines) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	level := slog.LevelInfo
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if name, text, ok := strings.Cut(rest, "]"); ok {
			if known, ok := levels[name]; ok {
				level, line = known, strings.TrimSpace(text)
			}
		}
	}
	l.to.Log(context.Background(), level, strings.TrimPrefix(line, "memberlist: "))
	return len(p), nil
}
