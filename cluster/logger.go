package cluster

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// levelTrace is below slog's debug, as hclog's trace is.
const levelTrace = slog.LevelDebug - 4

// levelOff is above everything.
const levelOff = slog.LevelError + 100

// NewHCLogger makes hashicorp's libraries log into the same slog stream as
// everything else, with their levels.
func NewHCLogger(l *slog.Logger) hclog.Logger {
	if l == nil {
		l = slog.Default()
	}
	return &hcLogger{base: l, log: l, repeats: newRepeats()}
}

// NewStdLogger is for libraries that take the standard library's logger and
// write "[LEVEL] " in front, as memberlist does.
func NewStdLogger(l *slog.Logger) *log.Logger {
	return log.New(&hcLevelWriter{log: NewHCLogger(l), infer: true, level: hclog.Info}, "", 0)
}

// hcLogger is hclog.Logger over slog.
type hcLogger struct {
	base    *slog.Logger // without a name
	log     *slog.Logger
	name    string
	implied []any
	repeats *repeats // shared by all loggers derived from one
}

func (h *hcLogger) Log(level hclog.Level, msg string, args ...any) {
	l := slogLevel(level)
	if !h.log.Enabled(context.Background(), l) {
		return
	}
	converted := slogArgs(args)
	if l >= slog.LevelWarn {
		show, hidden := h.repeats.show(h.name+msg, time.Now())
		if !show {
			return
		}
		if hidden > 0 {
			converted = append(converted, "repeated", hidden)
		}
	}
	h.log.Log(context.Background(), l, msg, converted...)
}

func (h *hcLogger) Trace(msg string, args ...any) { h.Log(hclog.Trace, msg, args...) }
func (h *hcLogger) Debug(msg string, args ...any) { h.Log(hclog.Debug, msg, args...) }
func (h *hcLogger) Info(msg string, args ...any)  { h.Log(hclog.Info, msg, args...) }
func (h *hcLogger) Warn(msg string, args ...any)  { h.Log(hclog.Warn, msg, args...) }
func (h *hcLogger) Error(msg string, args ...any) { h.Log(hclog.Error, msg, args...) }

func (h *hcLogger) enabled(l slog.Level) bool { return h.log.Enabled(context.Background(), l) }

func (h *hcLogger) IsTrace() bool { return h.enabled(levelTrace) }
func (h *hcLogger) IsDebug() bool { return h.enabled(slog.LevelDebug) }
func (h *hcLogger) IsInfo() bool  { return h.enabled(slog.LevelInfo) }
func (h *hcLogger) IsWarn() bool  { return h.enabled(slog.LevelWarn) }
func (h *hcLogger) IsError() bool { return h.enabled(slog.LevelError) }

func (h *hcLogger) ImpliedArgs() []any { return h.implied }
func (h *hcLogger) Name() string       { return h.name }

func (h *hcLogger) With(args ...any) hclog.Logger {
	next := *h
	converted := slogArgs(args)
	next.base, next.log = h.base.With(converted...), h.log.With(converted...)
	next.implied = append(append([]any{}, h.implied...), args...)
	return &next
}

func (h *hcLogger) Named(name string) hclog.Logger {
	if h.name != "" {
		name = h.name + "." + name
	}
	return h.ResetNamed(name)
}

func (h *hcLogger) ResetNamed(name string) hclog.Logger {
	next := *h
	next.name, next.log = name, h.base.With("library", name)
	return &next
}

// SetLevel does nothing: the level is the stream's.
func (h *hcLogger) SetLevel(hclog.Level) {}

func (h *hcLogger) GetLevel() hclog.Level {
	for _, l := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn, hclog.Error} {
		if h.enabled(slogLevel(l)) {
			return l
		}
	}
	return hclog.Off
}

func (h *hcLogger) StandardLogger(opts *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(h.StandardWriter(opts), "", 0)
}

func (h *hcLogger) StandardWriter(opts *hclog.StandardLoggerOptions) io.Writer {
	w := &hcLevelWriter{log: h, level: hclog.Info}
	if opts != nil {
		w.infer = opts.InferLevels
		if opts.ForceLevel != hclog.NoLevel {
			w.level, w.infer = opts.ForceLevel, false
		}
	}
	return w
}

// hcLevelWriter takes lines, one a write.
type hcLevelWriter struct {
	log   hclog.Logger
	level hclog.Level
	infer bool
}

func (w *hcLevelWriter) Write(p []byte) (int, error) {
	line, level := strings.TrimRight(string(p), "\n"), w.level
	if w.infer {
		if rest, found := strings.CutPrefix(line, "["); found {
			if name, text, ok := strings.Cut(rest, "]"); ok {
				if l := levelFromTag(name); l != hclog.NoLevel {
					level, line = l, strings.TrimSpace(text)
				}
			}
		}
	}
	w.log.Log(level, line)
	return len(p), nil
}

func levelFromTag(tag string) hclog.Level {
	if tag == "ERR" {
		return hclog.Error
	}
	return hclog.LevelFromString(tag)
}

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Trace:
		return levelTrace
	case hclog.Debug:
		return slog.LevelDebug
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	case hclog.Off:
		return levelOff
	}
	return slog.LevelInfo
}

// slogArgs turns hclog's pairs into slog's. hclog.Fmt values are formats that
// are not yet applied.
func slogArgs(args []any) []any {
	out := make([]any, 0, len(args))
	for _, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			if format, ok := f[0].(string); ok {
				a = fmt.Sprintf(format, f[1:]...)
			}
		}
		out = append(out, a)
	}
	for i := 0; i+1 < len(out); i += 2 { // slog takes only strings as keys
		if _, ok := out[i].(string); !ok {
			out[i] = fmt.Sprint(out[i])
		}
	}
	return out
}
