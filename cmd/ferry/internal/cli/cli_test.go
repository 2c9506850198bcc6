package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/logdump"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/serve"
)

var update = flag.Bool("update", false, "write the golden files")

// ran is what a run of the program left.
type ran struct {
	code     int
	out, err string
}

// ferry runs the program with an environment of its own.
func ferry(t *testing.T, env map[string]string, in string, args ...string) ran {
	t.Helper()
	return ferryContext(t.Context(), env, in, args...)
}

// patience is how long a command may take on a machine with other work to do.
const patience = "1m"

func ferryContext(ctx context.Context, env map[string]string, in string, args ...string) ran {
	// Who consumes a number of messages waits for them.
	if args[0] == "consume" && slices.Contains(args, "--count") {
		args = append(slices.Clone(args), "--idle", patience)
	}
	var out, err bytes.Buffer
	code := Run(ctx, args, Streams{In: strings.NewReader(in), Out: &out, Err: &err,
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	return ran{code, out.String(), err.String()}
}

// TestHelp compares the help of every command with testdata/help.golden.
func TestHelp(t *testing.T) {
	var all strings.Builder
	a := &app{Streams: Streams{Env: func(string) (string, bool) { return "", false }}}
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		r := ferry(t, nil, "", append(path, "--help")...)
		require.Equal(t, ExitOK, r.code, path)
		require.Empty(t, r.err)
		fmt.Fprintf(&all, "$ ferry %s\n%s\n", strings.Join(append(path, "--help"), " "), r.out)
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub, append(append([]string{}, path...), sub.Name()))
			}
		}
	}
	walk(a.root(), nil)
	golden := filepath.Join("testdata", "help.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String(), "run the test with -update if this is meant")
}

// TestUsage: every wrong call ends with 2 and one clear line.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"quue"}, `unknown command "quue"`},
		{[]string{"queue", "make"}, `unknown command "make"`},
		{[]string{"queue", "create"}, "queue create: NAME is missing"},
		{[]string{"queue", "list", "a", "b"}, `queue list: one argument too many: "b"`},
		{[]string{"queue", "show", "q", "--colour"}, "unknown flag: --colour"},
		{[]string{"queue", "show", "q", "-o", "xml"}, `--output: "xml"`},
		{[]string{"queue", "show", "q", "--timeout", "soon"}, `--timeout: "soon"`},
		{[]string{"queue", "create", "q", "--failure-limit", "0"}, "--failure-limit"},
		{[]string{"queue", "create", "q", "--max-bytes", "much"}, "--max-bytes"},
		{[]string{"queue", "update", "q"}, "nothing to change"},
		{[]string{"publish"}, "publish: QUEUE is missing"},
		{[]string{"publish", "q", "m", "--lines"}, "not both"},
		{[]string{"publish", "q", "m", "--header", "x"}, `--header: "x" is no name=value`},
		{[]string{"consume", "q", "--ack", "--no-ack"}, "exclude each other"},
		{[]string{"consume", "q", "--idle", "0s"}, "--idle"},
		{[]string{"publish", "q", "m", "--delay", "1s", "--deliver-at", "2100-01-01T00:00:00Z"}, "exclude each other"},
		{[]string{"publish", "q", "m", "--deliver-at", "noon"}, `--deliver-at: "noon"`},
		{[]string{"publish", "q", "--lines", "--dedup-id", "x"}, "--dedup-id"},
		{[]string{"publish", "q", "m", "--file", "x"}, "not both"},
		{[]string{"publish", "q", "m", "--priority", "300"}, "--priority"},
		{[]string{"queue", "create", "q", "--group-failure", "x"}, "--group-failure"},
		{[]string{"consume", "q", "--nack", "x", "--reject", "y"}, "exclude each other"},
		{[]string{"consume", "q", "--delay", "1s"}, "--nack"},
		{[]string{"message", "browse", "q", "--state", "odd"}, `--state: "odd"`},
		{[]string{"message", "browse", "q", "--reason", "odd"}, `--reason: "odd"`},
		{[]string{"message", "browse", "q", "--header", "=v"}, "--header"},
		{[]string{"message", "browse", "q", "--id", "1-2"}, `"1-2" is no message id`},
		{[]string{"message", "delete", "q", "0-1-2@x"}, `"0-1-2@x" is no message id`},
		{[]string{"message", "delete", "q"}, "message delete: ID is missing"},
		{[]string{"message", "schedule", "q", "0-1-2"}, "one of --at, --delay and --now"},
		{[]string{"message", "schedule", "q", "0-1-2", "--now", "--delay", "1s"}, "one of --at, --delay and --now"},
		{[]string{"message", "schedule", "q", "0-1-2", "--at", "noon"}, `--at: "noon"`},
		{[]string{"dlq", "redrive", "q"}, "either --all"},
		{[]string{"dlq", "redrive", "q", "--all", "--reason", "failures"}, "either --all"},
		{[]string{"dlq", "redrive", "q", "--all", "--rate", "-1"}, "--rate"},
		{[]string{"dlq", "redrive", "q", "--all", "--rate", "NaN"}, "--rate"},
		{[]string{"topic", "subscribe", "t", "q", "--overflow", "reject"}, "needs --required"},
		{[]string{"topic", "subscribe", "t", "q", "--required", "--overflow", "drop-new"}, "would miss messages"},
		{[]string{"reply", "q"}, "either --exec or --echo"},
		{[]string{"reply", "q", "--echo", "--exec", "cat"}, "either --exec or --echo"},
		{[]string{"reply", "q", "--echo", "--concurrency", "0"}, "--concurrency"},
		{[]string{"tenant", "weight", "q", "t", "1001"}, "tenant weight: N \"1001\" is no number within 1 and 1000"},
		{[]string{"trace", "here"}, `"here" is no message id`},
		{[]string{"bench", "--size", "1", "--workload", "x"}, "2 mistakes"},
		{[]string{"bench", "timers", "--n", "0", "--window", "1ms"}, "2 mistakes"},
		{[]string{"health", "--http", "x"}, "--http"},
		{[]string{"server", "--listen", "x", "--log-level", "y"}, "2 mistakes"},
		{[]string{"dev", "--log-level", "y"}, "--log-level"},
		{[]string{"log", "dump", "--data", ""}, "--data is empty"},
		{[]string{"log", "dump", "--from", "3", "--to", "2"}, "--from 3 is beyond --to 2"},
		{[]string{"log", "dump", "--old", "-1"}, "--old"},
		{[]string{"queue", "create", "a b"}, `NAME "a b": a name is made of`},
		{[]string{"queue", "show", ""}, `NAME "": a name has 1 to 196`},
		{[]string{"topic", "subscribe", "t", "q", "--session-expiry", "5s"}, "--session-expiry: it means nothing without --session"},
		{[]string{"topic", "subscribe", "t", "q", "--session", "--session-expiry", "1ms"}, "--session-expiry: 1ms is not within 1s and 168h0m0s"},
		{[]string{"topic", "subscribe", "t", "a/b"}, `QUEUE "a/b"`},
		{[]string{"topic", "subscribe", "a/b", "q"}, `TOPIC "a/b"`},
		{[]string{"group", "resume", "q", ""}, `GROUP "": it is empty`},
		{[]string{"group", "resume", "q", strings.Repeat("x", 257)}, "257 bytes, at most 256 are possible"},
		{[]string{"group", "resume", "q"}, "GROUP is missing"},
		{[]string{"tenant", "weight", "q", "t"}, "N is missing"},
		{[]string{"cluster", "remove", ""}, `NODE "": it is empty`},
		{[]string{"queue", "create", "q", "--max-messages", "-1"}, `--max-messages: "-1" is no whole number of 0 and more`},
		{[]string{"queue", "create", "q", "--lease", "soon"}, `--lease: "soon" is no duration like`},
		{[]string{"queue", "create", "q", "--lease", "100ms"}, "--lease: 100ms is not within 1s and 24h0m0s"},
		{[]string{"queue", "create", "q", "--ttl", "-1s"}, "--ttl: -1s is neither 0 nor within 1ms and 87840h0m0s"},
		{[]string{"queue", "create", "q", "--failure-limit", "3000000000"}, `--failure-limit: "3000000000" is neither "unlimited" nor a number within 1 and 2147483647`},
		{[]string{"queue", "create", "q", "--group-batch", "-1", "--retry-factor", "-1"}, "2 mistakes"},
		{[]string{"queue", "create", "q", "--retry-base", "10m"}, "--retry-base: 10m0s is above --retry-max, 5m0s"},
		{[]string{"queue", "create", "q", "--dispatch-burst", "5"}, "--dispatch-burst: it means nothing without --dispatch-rate"},
		{[]string{"queue", "create", "q", "--dedup-window", "5s"}, "--dedup-window: it needs --dedup-capacity"},
		{[]string{"queue", "create", "q", "--dedup-capacity", "5"}, "--dedup-capacity: it means nothing without --dedup-window"},
		{[]string{"queue", "update", "q", "--lease", "1ms"}, "--lease: 1ms is not within"},
		{[]string{"topic", "create", "t", "--dedup-window", "5s"}, "--dedup-window: it needs --dedup-capacity"},
		{[]string{"topic", "subscribe", "t", "q", "--filter", "a..b"}, `--filter: "a..b": an empty word`},
		{[]string{"topic", "subscribe", "t", "q", "--filter", ">.a"}, `--filter: ">.a": > stands at the end only`},
		{[]string{"publish", "q", "m", "--url", "localhost"}, `--url: "localhost": a URL looks like`},
		{[]string{"publish", "q", "m", "--timeout", "-1s"}, "--timeout: -1s is not above 0"},
		{[]string{"publish", "q", "m", "--group", strings.Repeat("x", 257)}, "--group: 257 bytes, at most 256 are possible"},
		{[]string{"publish", "q", "m", "--tenant", "\xff"}, "--tenant: \"\\xff\" is not UTF-8"},
		{[]string{"publish", "q", "m", "--subject", "a.*"}, `--subject: "a.*": word "*"`},
		{[]string{"publish", "q", "m", "--reply-to", "a b"}, `--reply-to: "a b": a name is made of`},
		{[]string{"publish", "q", "m", "--delay", "-5s", "--ttl", "-5s"}, "2 mistakes"},
		{[]string{"publish", "q", "m", "--deliver-at", ""}, `--deliver-at: "" is no time`},
		{[]string{"publish", "q", "m", "--deliver-at", "1960-01-01T00:00:00Z"}, "is before 1970"},
		{[]string{"publish", "q", "--file", "/nowhere/to/be"}, "--file: open /nowhere/to/be"},
		{[]string{"publish", "q", "--lines", "--file", "/nowhere/to/be"}, "--file: open /nowhere/to/be"},
		{[]string{"request", "q", "m", "--timeout", "30h"}, "--timeout: 30h0m0s is above 24h0m0s"},
		{[]string{"request", "q", "m", "--delay", "20s"}, "--delay: 20s is not before --timeout, 10s"},
		{[]string{"request", "q", "m", "--deliver-at", "2100-01-01T00:00:00Z"}, "--deliver-at: it is not before --timeout"},
		{[]string{"request", "q", "m", "--reply-to", ""}, `--reply-to: "": a name has`},
		{[]string{"publish", "q", "m", "--header", strings.Repeat("x", 257) + "=v"}, "--header: name: 257 bytes, at most 256"},
		{[]string{"publish", "q", "m", "--header", "k=" + strings.Repeat("x", 64<<10)}, "--header: 65537 bytes, at most 65536"},
		{append([]string{"publish", "q", "m"}, slices.Repeat([]string{"--header", "a=b"}, 65)...), "--header: 65 are given, at most 64"},
		{[]string{"consume", "q", "--shutdown"}, "say more about a --nack"},
		{[]string{"consume", "q", "--delay", "0s"}, "say more about a --nack"},
		{[]string{"consume", "q", "--nack", "x", "--shutdown", "--downstream"}, "--downstream and --shutdown exclude each other"},
		{[]string{"consume", "q", "--lease", "5s", "--no-ack"}, "there is none with --no-ack"},
		{[]string{"consume", "q", "--lease", "0"}, "--lease: 0s is not within 1s and 24h0m0s"},
		{[]string{"consume", "q", "--prefetch-bytes", "2GiB"}, "--prefetch-bytes: 2147483648 is not within 1 and 1073741824"},
		{[]string{"reply", "q", "--echo", "--lease", "1ms"}, "--lease: 1ms is not within"},
		{[]string{"reply", "q", "--echo", "--prefetch-bytes", "much"}, `--prefetch-bytes: "much" is not a size`},
		{[]string{"publish", "q", "--file", ""}, "--file: it is empty"},
		{[]string{"publish", "q", "--lines", "--file", ""}, "--file: it is empty"},
		{[]string{"request", "q", "--file", "/"}, "--file: / is a folder"},
		{[]string{"message", "delete", "q", "0-1-2", "-"}, "goes without other ids"},
		{[]string{"message", "browse", "q", "--state", ""}, "--state: it is empty"},
		{[]string{"reply", "q", "--echo", "--content-type", "x"}, "--content-type is that of what --exec prints"},
		{[]string{"server", "--cluster-key-file", "/nowhere/to/be"}, "--cluster-key-file: open /nowhere/to/be"},
		{[]string{"bench", "--queue", "a b"}, `--queue: "a b"`},
		{[]string{"bench", "suite", "--log-store", "x", "--duration", "-1s"}, "2 mistakes"},
		{[]string{"bench", "timers", "--log-store", "x"}, "--log-store"},
		{[]string{"dev", "--port", "99999"}, "--port: 99999 is not within 0"},
		{[]string{"health", "--timeout", "-1s"}, "--timeout: -1s is not above 0"},
		{[]string{"jepsen", "replay", "/nowhere/to/be"}, `DIR "/nowhere/to/be": no report`},
		{[]string{"jepsen", "report"}, "jepsen report: DIR is missing"},
		{[]string{"completion", "csh"}, `unknown command "csh"`},
		{[]string{"consume", "q", "--prefetch", "0"}, "--prefetch: 0 is not within 1 and 4096"},
		{[]string{"consume", "q", "--nack", "x", "--delay", "-5s"}, "--delay: -5s is not within 0s and 24h0m0s"},
		{[]string{"consume", "q", "--follow", "--idle", "3s"}, "--idle ends what --follow does not"},
		{[]string{"consume", "q", "--count", "-1"}, `--count: "-1" is no whole number of 0 and more`},
		{[]string{"reply", "q", "--echo", "--concurrency", "5000"}, "--concurrency: 5000 is not within 1 and 4096"},
		{[]string{"message", "browse", "q", "--limit", "-1"}, "--limit: -1 is not 0 or more"},
		{[]string{"message", "browse", "q", "--older-than", "-5s"}, "--older-than: -5s"},
		{[]string{"message", "browse", "q", "--older-than", "5s", "--younger-than", "1s"}, "no message is both"},
		{[]string{"message", "move", "q", "0-1-2", "--to", ""}, `--to: "": a name has`},
		{[]string{"message", "schedule", "q", "0-1-2", "--now=false"}, "--now: false is no time"},
		{[]string{"message", "schedule", "q", "0-1-2", "--at", ""}, `--at: "" is no time`},
		{[]string{"message", "schedule", "q", "0-1-2", "--delay", "-5s"}, "--delay: -5s is not within 0s"},
		{[]string{"dlq", "redrive", "q", "--tenant", "", "--reason", "failures"}, "--tenant: it is empty"},
		{[]string{"dlq", "redrive", "q", "--all", "--to", "a b"}, `--to: "a b": a name is made of`},
		{[]string{"dlq", "redrive", "q", "--all", "--rate", "much"}, `--rate: "much" is no number`},
		{[]string{"queue", "create", "q", "--fair=maybe"}, `--fair: "maybe" is neither true nor false`},
	} {
		t.Run(fmt.Sprintf("%.60s", strings.Join(c.args, " ")), func(t *testing.T) {
			r := ferry(t, nil, "", c.args...)
			require.Equal(t, ExitUsage, r.code, r.err)
			require.Contains(t, r.err, c.want)
			require.True(t, strings.HasPrefix(r.err, "ferry: "), r.err)
			require.Empty(t, r.out)
		})
	}
}

// TestExitCodes: every documented code has an error that ends with it, and
// docs/cli.md names them all.
func TestExitCodes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "cli.md"))
	require.NoError(t, err)
	late := fmt.Errorf("publish: %w: %w", client.ErrUnknownOutcome, context.DeadlineExceeded)
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, ExitOK},
		{errors.New("anything"), ExitFailed},
		{errQuiet, ExitFailed},
		{usagef("wrong"), ExitUsage},
		{client.ErrNotFound, ExitNotFound},
		{client.ErrBusy, ExitUnavailable},
		{client.ErrNoLeader, ExitUnavailable},
		{context.DeadlineExceeded, ExitUnavailable},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, ExitUnavailable},
		{late, ExitUnknown},
		{client.ErrConflict, ExitRefused},
		{client.ErrInUse, ExitRefused},
		{client.ErrTooLarge, ExitRefused},
		{client.ErrInvalid, ExitRefused},
		{client.ErrNoResponders, ExitNoResponder},
		{client.ErrExpired, ExitExpired},
		{client.ErrResponderLost, ExitLost},
		{client.ErrDeadLettered, ExitDead},
		{errNotFound, ExitNotFound},
		{logdump.ErrNoLog, ExitNotFound},
		{store.ErrLocked, ExitLocked},
		{store.ErrCorrupt, ExitStorage},
		{serve.ErrKey, ExitUsage},
		{serve.ErrLocked, ExitLocked},
		{serve.ErrStorage, ExitStorage},
		{serve.ErrState, ExitState},
		{serve.ErrRemoved, ExitRemoved},
		{context.Canceled, ExitInterrupted},
	} {
		err := c.err
		if err != nil && !errors.Is(err, errQuiet) {
			err = fmt.Errorf("wrapped: %w", err)
		}
		require.Equal(t, c.code, exitCode(err), "%v", c.err)
		require.Contains(t, string(page), fmt.Sprintf("| %d |", c.code))
	}
}

func TestHealth(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, err := io.WriteString(w, "told\n")
		if err != nil {
			panic(err)
		}
	}))
	addr := s.Listener.Addr().String()
	require.Equal(t, ran{ExitOK, "told\n", ""}, ferry(t, nil, "", "health", "--http", addr))
	require.Equal(t, ExitOK, ferry(t, map[string]string{"FERRY_HTTP": addr}, "", "health").code)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.Equal(t, ExitOK, ferry(t, nil, "", "health", "--http", "0.0.0.0:"+port).code, "as a server is told to listen")
	status = http.StatusServiceUnavailable
	require.Equal(t, ran{ExitFailed, "", "ferry: told\n"}, ferry(t, nil, "", "health", "--http", addr))
	s.Close()
	require.Equal(t, ExitFailed, ferry(t, nil, "", "health", "--http", addr).code)
}

func TestPrintConfig(t *testing.T) {
	r := ferry(t, map[string]string{"FERRY_NODE": "a"}, "", "server", "--print-config", "--join", "b:1")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "node: \"a\"\n")
	require.Contains(t, r.out, "join: [\"b:1\"]\n")
}

func TestVersionAndCompletion(t *testing.T) {
	require.Contains(t, ferry(t, nil, "", "version").out, "ferry dev")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := ferry(t, nil, "", "completion", shell)
		require.Equal(t, ExitOK, r.code, r.err)
		require.Contains(t, r.out, "ferry")
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	r := ferry(t, nil, "", "queue", "list", "--url", "ferry://"+addr, "--timeout", "300ms")
	require.Equal(t, ExitUnavailable, r.code, r.err)
	require.Equal(t, 1, strings.Count(r.err, "\n"), "one line: %s", r.err)
}
