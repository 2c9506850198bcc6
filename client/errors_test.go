package client

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func TestEveryCodeHasASentinel(t *testing.T) {
	seen := map[error]transport.Code{}
	for code := transport.Code(0); code < 512; code++ {
		if strings.HasPrefix(code.String(), "code ") || code.Accepted() {
			continue // none, or no error
		}
		sentinel := sentinels[code]
		if sentinel == nil {
			t.Errorf("%v has no sentinel", code)
			continue
		}
		if other, ok := seen[sentinel]; ok && code != transport.CodeNotLeader {
			t.Errorf("%v and %v have the same sentinel", code, other)
		}
		seen[sentinel] = code
		wrapped := context.DeadlineExceeded
		err := error(localError(code, "publish", "q", "detail", wrapped))
		var e *Error
		if !errors.Is(err, sentinel) || !errors.Is(err, wrapped) || !errors.As(err, &e) || e.Code != code {
			t.Errorf("%v does not match", code)
		}
		for _, part := range []string{`publish "q"`, "detail", strings.TrimPrefix(sentinel.Error(), "ferry: ")} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q lacks %q", err, part)
			}
		}
		if code.Retryable() && !e.Retryable {
			t.Errorf("%v is retryable for the protocol and not here", code)
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d sentinels", len(seen))
	}
}

func TestCausesHaveTexts(t *testing.T) {
	for cause := transport.CauseMessages; cause <= transport.CauseRequeued; cause++ {
		if !strings.HasPrefix(cause.String(), "cause ") && causes[cause] == nil {
			t.Errorf("%v has no text", cause)
		}
	}
}

func TestURL(t *testing.T) {
	for raw, want := range map[string]string{
		"ferry://a:1":                  "a:1",
		"ferry://a":                    "a:7700",
		"ferry://a:1,b:2, a:1":         "a:1 b:2",
		"ferry://[::1]:9,127.0.0.1:8/": "[::1]:9 127.0.0.1:8",
	} {
		addrs, err := parseURL(raw)
		if got := strings.Join(addrs, " "); err != nil || got != want {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "a:1", "http://a:1", "ferry://", "ferry://a:1,", "ferry://a:b:c", "ferry://u@a:1", "ferry://a/x"} {
		if _, err := parseURL(raw); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestOptions(t *testing.T) {
	_, err := Dial(t.Context(), "ferry://a", WithHeartbeat(time.Nanosecond), WithMaxInFlight(1<<20, -1),
		WithRequestTimeout(-1), WithName("x"), WithLogger(slog.Default()))
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for _, part := range []string{"heartbeat", "messages in flight", "bytes in flight", "request timeout"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name the %s", err, part)
		}
	}
	o := consumeOptions{prefetch: -1, concurrency: 1 << 20, lease: time.Millisecond, prefetchBytes: -1}
	o.fillDefaults()
	for _, part := range []string{"prefetch -1", "bytes", "concurrency", "lease"} {
		if !strings.Contains(o.validate().Error(), part) {
			t.Errorf("%q does not name %s", o.validate(), part)
		}
	}
}

func TestDialTellsWhy(t *testing.T) {
	refused := errors.New("refused by the test")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, "ferry://a,b", WithDialer(func(context.Context, string) (net.Conn, error) { return nil, refused }))
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, refused) {
		t.Errorf("dial: %v", err)
	}
}
