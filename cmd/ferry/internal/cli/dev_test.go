package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devServer runs `ferry dev` until the test ends.
type devServer struct {
	url   string
	stop  func() ran
	ended chan ran // gets how it ended
}

func startDev(t *testing.T, args ...string) *devServer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, w := io.Pipe()
	var errs bytes.Buffer
	d := &devServer{ended: make(chan ran, 1)}
	finished := make(chan struct{})
	code := make(chan int, 1)
	go func() {
		c := Run(ctx, append([]string{"dev", "--port", "0"}, args...), Streams{In: strings.NewReader(""), Out: w, Err: &errs,
			Env: func(string) (string, bool) { return "", false }})
		w.Close()
		code <- c
		close(finished)
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text := strings.TrimSpace(lines.Text()); strings.HasPrefix(text, "ferry://") {
			d.url = text
			break
		}
	}
	go func() {
		var b strings.Builder
		for lines.Scan() {
			fmt.Fprintln(&b, lines.Text())
		}
		d.ended <- ran{code: <-code, out: b.String(), err: errs.String()}
	}()
	d.stop = sync.OnceValue(func() ran {
		cancel()
		return <-d.ended
	})
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	if d.url == "" {
		r := d.stop()
		t.Fatalf("ferry dev ended with %d: %s%s", r.code, r.out, r.err)
	}
	return d
}

// run runs a command against the cluster and expects an exit code.
func (d *devServer) run(t *testing.T, code int, in string, args ...string) ran {
	t.Helper()
	r := ferry(t, map[string]string{"FERRY_URL": d.url, "FERRY_TIMEOUT": patience}, in, args...)
	require.Equal(t, code, r.code, "ferry %s: %s%s", strings.Join(args, " "), r.out, r.err)
	return r
}

// TestDev runs the commands against three nodes.
func TestDev(t *testing.T) {
	data := t.TempDir()
	d := startDev(t, "--data", data)
	t.Run("queues", func(t *testing.T) { testQueues(t, d) })
	t.Run("messages", func(t *testing.T) { testMessages(t, d) })
	t.Run("unconfirmed", func(t *testing.T) { testUnconfirmed(t, d) })
	t.Run("dead letters", func(t *testing.T) { testDeadLetters(t, d) })
	t.Run("requests", func(t *testing.T) { testRequests(t, d) })
	t.Run("trace", func(t *testing.T) { testTrace(t, d) })
	t.Run("topics", func(t *testing.T) { testTopics(t, d) })
	t.Run("cluster", func(t *testing.T) { testCluster(t, d) })
	t.Run("bench", func(t *testing.T) { testBench(t, d) })
	d.run(t, ExitOK, "", "queue", "create", "kept")
	d.run(t, ExitOK, "", "publish", "kept", "still here")
	r := d.stop()
	require.Equal(t, ExitOK, r.code, r.err)

	// The same folder again: what was confirmed is there.
	again := startDev(t, "--data", data)
	require.Equal(t, "still here\n", again.run(t, ExitOK, "", "consume", "kept", "--count", "1").out)
	require.Equal(t, ExitOK, again.stop().code)
}

func testQueues(t *testing.T, d *devServer) {
	d.run(t, ExitOK, "", "queue", "create", "orders", "--max-messages", "100000", "--lease", "30s", "--failure-limit", "unlimited")
	d.run(t, ExitOK, "", "queue", "create", "orders", "--max-messages", "100000", "--lease", "30s", "--failure-limit", "unlimited")
	d.run(t, ExitRefused, "", "queue", "create", "orders", "--max-messages", "7")
	d.run(t, ExitRefused, "", "queue", "create", "orders.dlq")
	d.run(t, ExitNotFound, "", "queue", "show", "nothing")
	d.run(t, ExitNotFound, "", "publish", "nothing", "x")
	d.run(t, ExitOK, "", "queue", "update", "orders", "--max-messages", "100")

	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(d.run(t, ExitOK, "", "queue", "show", "orders", "-o", "json").out), &shown))
	require.EqualValues(t, 100, shown["max_messages"])
	require.EqualValues(t, 30_000, shown["lease_ms"], "an update leaves the rest as it is")
	require.EqualValues(t, -1, shown["failure_limit"])

	d.run(t, ExitOK, "", "publish", "orders", "a")
	require.Contains(t, d.run(t, ExitOK, "", "queue", "list").out, "orders")
	require.Contains(t, d.run(t, ExitOK, "", "queue", "show", "orders", "--stale").out, "Ready:")
	d.run(t, ExitRefused, "", "queue", "delete", "orders", "--if-empty")
	d.run(t, ExitOK, "", "queue", "pause", "orders")
	require.Contains(t, d.run(t, ExitOK, "", "queue", "list", "ord").out, "paused")
	d.run(t, ExitOK, "", "queue", "resume", "orders")
	require.Contains(t, d.run(t, ExitOK, "", "queue", "purge", "orders").out, "1 messages")
	d.run(t, ExitOK, "", "queue", "delete", "orders")
	d.run(t, ExitNotFound, "", "queue", "delete", "orders")

	d.run(t, ExitOK, "", "queue", "create", "small", "--max-messages", "1")
	d.run(t, ExitOK, "", "publish", "small", "a")
	d.run(t, ExitUnavailable, "b", "publish", "small", "--lines") // which are not tried again
	d.run(t, ExitRefused, strings.Repeat("x", 2<<20), "publish", "small")
	d.run(t, ExitOK, "", "queue", "create", "tiny", "--max-bytes", "10B")
	require.Contains(t, d.run(t, ExitRefused, "", "publish", "tiny", "eleven byte").err, "queue tiny cannot hold a message that large: its limit is 10 bytes")
}

func testMessages(t *testing.T, d *devServer) {
	// Nor are many lines refused for a topic with many subscriptions.
	d.run(t, ExitOK, "", "topic", "create", "wide")
	const wide = 150
	for i := range wide {
		d.run(t, ExitOK, "", "topic", "subscribe", "wide", fmt.Sprint("wide-", i))
	}
	d.run(t, ExitOK, strings.Repeat("m\n", 1000), "publish", "wide", "--lines")
	for _, i := range []int{0, wide - 1} {
		require.Contains(t, d.run(t, ExitOK, "", "queue", "list", fmt.Sprint("wide-", i)).out, "1000")
	}

	d.run(t, ExitOK, "", "queue", "create", "lines")
	require.Contains(t, d.run(t, ExitOK, "one\ntwo\r\nthree", "publish", "lines", "--lines").out, "confirmed 3 of 3")
	require.Equal(t, "one\ntwo\nthree\n", d.run(t, ExitOK, "", "consume", "lines", "--count", "3").out)

	// More than fits into one batch of acks, all of it before it ends.
	many := strings.Repeat("x\n", 5*ackBatch)
	d.run(t, ExitOK, many, "publish", "lines", "--lines")
	require.Equal(t, many, d.run(t, ExitOK, "", "consume", "lines", "--count", fmt.Sprint(5*ackBatch)).out)

	file := filepath.Join(t.TempDir(), "whole")
	require.NoError(t, os.WriteFile(file, []byte("a\nb\n"), 0o600))
	d.run(t, ExitOK, "", "publish", "lines", "--file", file, "--header", "k=v", "--header", "k=w", "--content-type", "text/plain")
	d.run(t, ExitOK, "\xff\x00", "publish", "lines")
	out := d.run(t, ExitOK, "", "consume", "lines", "--count", "2", "-o", "json").out
	var first, second map[string]any
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &second))
	require.Equal(t, "a\nb\n", first["body"])
	require.Equal(t, "text/plain", first["content_type"])
	require.Equal(t, map[string]any{"k": []any{"v", "w"}}, first["header"])
	require.Equal(t, "/wA=", second["body_base64"])

	d.run(t, ExitOK, "", "publish", "lines", "again")
	require.Equal(t, "again\n", d.run(t, ExitOK, "", "consume", "lines", "--count", "1", "--ack=false").out)
	require.Equal(t, "again\n", d.run(t, ExitOK, "", "consume", "lines", "--count", "1").out, "it was not acked")
	require.Empty(t, d.run(t, ExitOK, "", "consume", "lines", "--idle", "100ms").out, "now it was")
	d.run(t, ExitOK, "", "publish", "lines", "once")
	require.Equal(t, "once\n", d.run(t, ExitOK, "", "consume", "lines", "--count", "1", "--no-ack").out)
	d.run(t, ExitNotFound, "", "consume", "nothing")
	testFollow(t, d)
}

// testDeadLetters: failures, delays and rejects, as they are seen.
func testDeadLetters(t *testing.T, d *devServer) {
	d.run(t, ExitOK, "", "queue", "create", "work", "--failure-limit", "2", "--retry", "immediate", "--ttl", "1h")
	d.run(t, ExitOK, "", "publish", "work", "bad", "--header", "k=v")
	later := strings.Fields(d.run(t, ExitOK, "", "publish", "work", "later", "--delay", "1h").out)[1]
	require.Equal(t, "bad\n", d.run(t, ExitOK, "", "consume", "work", "--count", "1", "--nack", "no such chair").out)
	require.Equal(t, "bad\n", d.run(t, ExitOK, "", "consume", "work", "--count", "1", "--reject", "no such chair").out)
	require.Empty(t, d.run(t, ExitOK, "", "consume", "work", "--idle", "100ms").out, "the other one is not due")
	require.Regexp(t, later+` +scheduled`, d.run(t, ExitOK, "", "message", "browse", "work", "--state", "scheduled").out)
	d.run(t, ExitOK, "", "message", "schedule", "work", later, "--now")
	require.Equal(t, "later\n", d.run(t, ExitOK, "", "consume", "work", "--count", "1").out)
	d.run(t, ExitNotFound, "", "message", "delete", "work", later)
	require.Regexp(t, `work +rejected +no such chair +bad\n`, d.run(t, ExitOK, "", "message", "browse", "work.dlq", "--reason", "rejected", "--header", "k=v", "--body").out)
	d.run(t, ExitNotFound, "", "dlq", "redrive", "work", "--id", "0-99-0")
	require.Contains(t, d.run(t, ExitOK, "", "dlq", "redrive", "work", "--all", "--dry-run").out, "1 messages of work.dlq")
	require.Contains(t, d.run(t, ExitOK, "", "dlq", "redrive", "work", "--all", "--reset").out, "moved 1 of 1")
	d.run(t, ExitOK, "", "consume", "work", "--count", "1", "--nack", "no such chair")
	d.run(t, ExitOK, "", "consume", "work", "--count", "1", "--reject", "no such chair")
	var v deliveryView
	require.NoError(t, json.Unmarshal([]byte(d.run(t, ExitOK, "", "consume", "work.dlq", "--count", "1", "-o", "json").out), &v))
	require.Equal(t, "bad", *v.Body)
	require.Equal(t, "rejected", v.Death.Reason)
	require.Equal(t, "no such chair", v.Death.Error)
	require.NotEmpty(t, v.Death.History)
	require.Equal(t, "no such chair", v.Death.History[0].Error)
	d.run(t, ExitOK, "", "queue", "update", "work", "--retry", "fixed", "--retry-base", "30s")
	out := d.run(t, ExitOK, "", "queue", "show", "work").out
	require.Regexp(t, `Retry: +fixed: 30s\n`, out)
	require.Regexp(t, `Time to live: +1h0m0s, then dropped\n`, out)
	require.Regexp(t, `Failure limit: +2\n`, out)

	d.run(t, ExitOK, "", "queue", "create", "newest", "--max-messages", "1", "--overflow", "drop-oldest")
	d.run(t, ExitOK, "", "queue", "create", "first", "--max-messages", "1", "--overflow", "drop-new", "--dedup-window", "1m", "--dedup-capacity", "10")
	for _, queue := range []string{"newest", "first"} {
		d.run(t, ExitOK, "", "publish", queue, "1", "--dedup-id", "a")
	}
	d.run(t, ExitOK, "", "publish", "newest", "2")
	require.Contains(t, d.run(t, ExitOK, "", "publish", "first", "2").out, "dropped")
	require.Contains(t, d.run(t, ExitOK, "", "publish", "first", "1", "--dedup-id", "a").out, "a duplicate of")
	d.run(t, ExitRefused, "", "publish", "first", "other", "--dedup-id", "a")
	require.Equal(t, "2\n", d.run(t, ExitOK, "", "consume", "newest", "--count", "1").out)
	require.Equal(t, "1\n", d.run(t, ExitOK, "", "consume", "newest.dlq", "--count", "1").out)

	d.run(t, ExitOK, "", "queue", "create", "chosen")
	for _, who := range []string{"acme", "other", "acme"} {
		d.run(t, ExitOK, "", "publish", "chosen", who, "--tenant", who, "--group", "of-"+who)
	}
	d.run(t, ExitOK, "", "consume", "chosen", "--count", "3", "--reject", "no")
	require.Contains(t, d.run(t, ExitOK, "", "dlq", "redrive", "chosen", "--group", "of-acme", "--dry-run").out, "2 messages of chosen.dlq")
	require.Contains(t, d.run(t, ExitOK, "", "dlq", "redrive", "chosen", "--tenant", "other").out, "moved 1 of 1")
	require.Equal(t, "other\n", d.run(t, ExitOK, "", "consume", "chosen", "--count", "1").out)

	d.run(t, ExitOK, "", "queue", "create", "turns", "--fair")
	require.Regexp(t, `Tenants: +take turns\n`, d.run(t, ExitOK, "", "queue", "show", "turns").out)
	d.run(t, ExitOK, "", "tenant", "weight", "turns", "acme", "3")
	d.run(t, ExitOK, "", "tenant", "weight", "turns", "", "2")
	require.Regexp(t, `Tenants: +take turns, by weight: \(none\) 2, acme 3\n`, d.run(t, ExitOK, "", "queue", "show", "turns").out)
}

// testRequests: asked, answered by a command, and what holds a queue up.
func testRequests(t *testing.T, d *devServer) {
	d.run(t, ExitOK, "", "queue", "create", "prices", "--retry", "immediate")
	require.Regexp(t, `2 +no_consumer`, d.run(t, ExitOK, "", "explain", "prices").out)
	d.run(t, ExitNoResponder, "", "request", "prices", "chair")
	f := follow(t, d, "reply", "prices", "--exec", `read what; test "$what" != stool || exit 65; echo "$what: 42"`)
	require.Eventually(t, func() bool {
		return !strings.Contains(ferry(t, nil, "", "explain", "prices", "--url", d.url).out, "no_consumer")
	}, time.Minute, 10*time.Millisecond)
	ask := func(what, line string) ran {
		answered := make(chan ran, 1)
		go func() {
			answered <- ferry(t, nil, "", "request", "prices", what, "--url", d.url, "--timeout", patience)
		}()
		require.True(t, f.lines.Scan())
		require.Contains(t, f.lines.Text(), line)
		return <-answered
	}
	require.Equal(t, ran{code: ExitOK, out: "chair: 42\n"}, ask("chair", "worked"))
	require.Equal(t, ExitDead, ask("stool", "failed").code)
	require.Equal(t, ExitOK, f.stop(t))
}

// testTrace: the life of a message, after it is gone.
func testTrace(t *testing.T, d *devServer) {
	d.run(t, ExitOK, "", "queue", "create", "traced")
	id := strings.Fields(d.run(t, ExitOK, "", "publish", "traced", "x").out)[1]
	d.run(t, ExitOK, "", "consume", "traced", "--count", "1")
	var v traceView
	require.NoError(t, json.Unmarshal([]byte(d.run(t, ExitOK, "", "trace", id, "-o", "json").out), &v))
	require.Equal(t, id, v.ID)
	var kinds []string
	for _, e := range v.Events {
		require.Equal(t, "traced", e.Queue)
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []string{"published", "delivered", "acked"}, kinds)
	require.Regexp(t, `acked +traced`, d.run(t, ExitOK, "", "trace", id).out)
	d.run(t, ExitNotFound, "", "trace", "0-999999-0")
}

func testTopics(t *testing.T, d *devServer) {
	d.run(t, ExitOK, "", "topic", "create", "events")
	d.run(t, ExitNotFound, "", "topic", "subscribe", "nothing", "sub")
	d.run(t, ExitOK, "", "topic", "subscribe", "events", "all")
	d.run(t, ExitOK, "", "topic", "subscribe", "events", "paid", "--filter", "order.*.paid", "--required", "--max-messages", "1")
	require.Contains(t, d.run(t, ExitOK, "", "publish", "events", "x", "--subject", "order.7.paid").out, "in 2 queues")
	require.Contains(t, d.run(t, ExitOK, "", "publish", "events", "y", "--subject", "order.7").out, "in 1 queue\n")
	require.Regexp(t, `events +2 +2 +0\n`, d.run(t, ExitOK, "", "topic", "list").out)
	require.Regexp(t, `Subscriptions: +2\n`, d.run(t, ExitOK, "", "topic", "show", "events").out)
	require.Regexp(t, `paid +order\.\*\.paid +required +1 `, d.run(t, ExitOK, "", "topic", "subscriptions", "events").out)
	d.run(t, ExitUnavailable, "z", "publish", "events", "--lines", "--subject", "order.8.paid")
	require.Equal(t, "x\ny\n", d.run(t, ExitOK, "", "consume", "all", "--count", "2").out)
	require.Equal(t, "x\n", d.run(t, ExitOK, "", "consume", "paid", "--count", "1").out)
	testWatch(t, d)
	d.run(t, ExitOK, "", "topic", "delete", "events")
	d.run(t, ExitNotFound, "", "queue", "show", "all")
}

// testWatch: a session's subscription goes with the command.
func testWatch(t *testing.T, d *devServer) {
	w := follow(t, d, "topic", "subscribe", "events", "watch", "--session")
	shown := func(code int) {
		require.Eventually(t, func() bool {
			return ferry(t, nil, "", "queue", "show", "watch", "--url", d.url).code == code
		}, time.Minute, 10*time.Millisecond)
	}
	shown(ExitOK)
	d.run(t, ExitOK, "", "publish", "events", "seen")
	require.True(t, w.lines.Scan())
	require.Equal(t, "seen", w.lines.Text())
	require.Equal(t, ExitOK, w.stop(t))
	shown(ExitNotFound) // the end of a session is not waited for
}

// followed is a command that goes on until it is interrupted.
type followed struct {
	lines  *bufio.Scanner
	cancel context.CancelFunc
	code   chan int
}

func follow(t *testing.T, d *devServer, args ...string) *followed {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	out, w := io.Pipe()
	f := &followed{lines: bufio.NewScanner(out), cancel: cancel, code: make(chan int, 1)}
	go func() {
		c := Run(ctx, append(args, "--url", d.url), Streams{
			In: strings.NewReader(""), Out: w, Err: io.Discard, Env: func(string) (string, bool) { return "", false }})
		w.Close()
		f.code <- c
	}()
	return f
}

// stop interrupts it and returns its exit code.
func (f *followed) stop(t *testing.T) int {
	f.cancel()
	require.False(t, f.lines.Scan())
	return <-f.code
}

// testFollow: following goes on until it is interrupted, which is no failure.
func testFollow(t *testing.T, d *devServer) {
	f := follow(t, d, "consume", "lines", "--follow")
	for _, text := range []string{"first", "second"} {
		d.run(t, ExitOK, "", "publish", "lines", text)
		require.True(t, f.lines.Scan())
		require.Equal(t, text, f.lines.Text())
	}
	require.Equal(t, ExitOK, f.stop(t))
}

// status is group 0 as its leader sees it.
func status(t *testing.T, d *devServer) groupView {
	t.Helper()
	var v clusterView
	require.NoError(t, json.Unmarshal([]byte(d.run(t, ExitOK, "", "cluster", "status", "-o", "json").out), &v))
	require.Len(t, v.Groups, 1)
	return v.Groups[0]
}

func testCluster(t *testing.T, d *devServer) {
	read := func() groupView { return status(t, d) }
	// All three vote once autopilot has seen them stable.
	require.Eventually(t, func() bool {
		voters := 0
		for _, m := range read().Members {
			if m.Voter {
				voters++
			}
		}
		return voters == devNodes
	}, time.Minute, 50*time.Millisecond)
	before := read().Leader
	target := ""
	for _, m := range read().Members {
		if m.Node != before {
			target = m.Node
		}
	}
	// On a busy machine the target may miss its chance, or lose what it got.
	require.Eventually(t, func() bool {
		if strings.Contains(d.run(t, ExitOK, "", "cluster", "status").out, "leader "+target) {
			return true
		}
		r := ferry(t, nil, "", "cluster", "transfer-leader", target, "--url", d.url, "--timeout", patience)
		require.Contains(t, []int{ExitOK, ExitUnavailable}, r.code, r.err)
		return false
	}, time.Minute, 50*time.Millisecond)
	d.run(t, ExitNotFound, "", "cluster", "remove", "nobody")
}

func testBench(t *testing.T, d *devServer) {
	for _, workload := range []string{"publish", "publish-single", "e2e"} {
		var r map[string]any
		out := d.run(t, ExitOK, "", "bench", "--workload", workload, "--count", "300", "--connections", "2", "--size", "100", "-o", "json").out
		require.NoError(t, json.Unmarshal([]byte(out), &r), out)
		require.EqualValues(t, 300, r["messages"], out)
		require.Zero(t, r["errors"])
		require.Positive(t, r["per_s"])
	}
	require.Contains(t, d.run(t, ExitOK, "", "bench", "--count", "10", "--connections", "1").out, "Rate:")
}
