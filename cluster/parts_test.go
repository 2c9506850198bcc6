package cluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

func TestLoggerBridgesLevelsAndValues(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	l := NewHCLogger(base).Named("raft").With("peer", "b")
	l.Debug("hidden")
	l.Warn("seen", "servers", hclog.Fmt("%d of %d", 1, 3))
	got := out.String()
	for _, want := range []string{"level=WARN", "msg=seen", "library=raft", "peer=b", `servers="1 of 3"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "hidden") || l.IsDebug() || !l.IsInfo() || l.GetLevel() != hclog.Info {
		t.Errorf("levels are not the stream's: %s", got)
	}
	if n := l.Named("net").Name(); n != "raft.net" {
		t.Errorf("name %q", n)
	}
}

func TestStdLoggerInfersLevels(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	l := NewStdLogger(base)
	l.Print("[DEBUG] memberlist: hidden")
	l.Print("[ERR] memberlist: broken")
	if got := out.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "memberlist: broken") || strings.Contains(got, "hidden") {
		t.Fatal(got)
	}
}

func storeLog(t *testing.T, c *logCache, first, last uint64, size int) {
	t.Helper()
	for i := first; i <= last; i++ {
		if err := c.StoreLog(&raft.Log{Index: i, Term: 1, Data: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogCacheIsBoundedInBytesAndEntries(t *testing.T) {
	c := newLogCache(raft.NewInmemStore(), 10, 1000)
	storeLog(t, c, 1, 20, 10)
	if len(c.logs) != 10 || c.bytes != 100 || c.first != 11 {
		t.Fatalf("entries: %d, %d bytes from %d", len(c.logs), c.bytes, c.first)
	}
	storeLog(t, c, 21, 24, 400)
	if c.bytes != 800 || len(c.logs) != 2 {
		t.Fatalf("bytes: %d in %d", c.bytes, len(c.logs))
	}
	storeLog(t, c, 25, 25, 5000) // larger than the bound: the only one kept
	if len(c.logs) != 1 || c.bytes != 5000 {
		t.Fatalf("large: %d in %d", c.bytes, len(c.logs))
	}
	var l raft.Log
	if err := c.GetLog(3, &l); err != nil || l.Index != 3 {
		t.Fatalf("from the store: %v", err)
	}
	if err := c.GetLog(99, &l); !errors.Is(err, raft.ErrLogNotFound) {
		t.Fatalf("raft looks for ErrLogNotFound: %v", err)
	}
}

func TestLogCacheForgetsOnlyWhatIsDeleted(t *testing.T) {
	c := newLogCache(raft.NewInmemStore(), 100, 1<<20)
	storeLog(t, c, 1, 20, 1)
	if err := c.DeleteRange(1, 5); err != nil { // a snapshot cuts the front
		t.Fatal(err)
	}
	if c.first != 6 || c.last != 20 || c.bytes != 15 {
		t.Fatalf("front: %d to %d, %d bytes", c.first, c.last, c.bytes)
	}
	if err := c.DeleteRange(18, 20); err != nil { // a new leader cuts the tail
		t.Fatal(err)
	}
	if c.last != 17 || len(c.logs) != 12 {
		t.Fatalf("tail: %d to %d", c.first, c.last)
	}
	if err := c.StoreLog(&raft.Log{Index: 18, Term: 2, Data: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	var l raft.Log
	if err := c.GetLog(18, &l); err != nil || l.Term != 2 {
		t.Fatalf("%+v %v", l, err)
	}
	storeLog(t, c, 40, 41, 1) // a gap, after a snapshot was installed
	if c.first != 40 || len(c.logs) != 2 {
		t.Fatalf("gap: %d to %d", c.first, c.last)
	}
}

func TestGrowth(t *testing.T) {
	var g growth
	g.init(1000)
	g.add(900)
	if g.stillDue() {
		t.Fatal("due too early")
	}
	g.add(100)
	if len(g.due) != 1 {
		t.Fatal("not due")
	}
	m := g.mark()
	g.add(300)
	g.persisted(m, 5000)
	if g.stillDue() || g.bytes != 300 {
		t.Fatalf("after a snapshot: %d", g.bytes)
	}
	g.add(2000) // more than the threshold, less than the last snapshot took
	if g.stillDue() {
		t.Fatal("a large snapshot is repeated too early")
	}
	g.add(2700)
	if !g.stillDue() {
		t.Fatal("not due after as much log as the snapshot took")
	}
	if n, ok := g.entriesIn(50_000); !ok || n != 30 { // 3 entries, 5000 bytes
		t.Fatalf("entries %d %v", n, ok)
	}
}

func TestDigestRing(t *testing.T) {
	var r digestRing
	if _, some := r.last(); some {
		t.Fatal("empty")
	}
	for i := uint64(1); i <= digestsMax+100; i++ {
		r.add(2*i, [32]byte{byte(i)})
	}
	if _, known := r.at(2 * 100); known {
		t.Fatal("older than the ring")
	}
	if d, known := r.at(2 * 101); !known || d[0] != 101 {
		t.Fatal("oldest")
	}
	last := uint64(digestsMax + 100)
	if d, known := r.at(2 * last); !known || d[0] != byte(last) {
		t.Fatal("newest")
	}
	if _, known := r.at(2*last - 1); known {
		t.Fatal("an index between")
	}
	if d, some := r.last(); !some || d.Index != 2*last {
		t.Fatal("last")
	}
}

func TestProgress(t *testing.T) {
	var p progress
	p.reach(5)
	if err := p.wait(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- p.wait(context.Background(), 7) }()
	p.reach(6)
	p.reach(7)
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(ctx, 8); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	go func() { waited <- p.wait(context.Background(), 9) }()
	p.close()
	if err := <-waited; !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestGateShutsAndDrains(t *testing.T) {
	var g gate
	if !g.tryBegin() || !g.shut() || g.shut() || g.tryBegin() {
		t.Fatal("a gate shuts once and for all")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.open.drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	g.end()
	if err := g.open.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestFence(t *testing.T) {
	for name, tt := range map[string]struct {
		log    raft.Log
		fenced bool
	}{
		"its own term":             {raft.Log{Term: 7, Extensions: fence(7)}, false},
		"a later term":             {raft.Log{Term: 8, Extensions: fence(7)}, true},
		"a store's stamp after it": {raft.Log{Term: 8, Extensions: append(fence(7), 1, 2, 3)}, true},
		"no fence":                 {raft.Log{Term: 8}, false},
		"something else":           {raft.Log{Term: 8, Extensions: make([]byte, 30)}, false},
	} {
		if got := fenced(&tt.log); got != tt.fenced {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFileMeta(t *testing.T) {
	m := FileMeta{Path: filepath.Join(t.TempDir(), "node.json")}
	if _, some, err := m.Load(); some || err != nil {
		t.Fatal(some, err)
	}
	want := Identity{Name: "n1", ServerID: newServerID("n1"), ClusterID: newClusterID(), Rebuild: "why", Founding: `{"x":1}`, Diverged: 2, Removed: true}
	for range 2 {
		if err := m.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, some, err := m.Load(); got != want || !some || err != nil {
			t.Fatalf("%+v %v %v", got, some, err)
		}
	}
}

// Whichever byte of one file rots, the other makes it good; when both have,
// the node is told so, and takes itself for no other.
func TestFileMetaSurvivesRot(t *testing.T) {
	m := FileMeta{Path: filepath.Join(t.TempDir(), "node.json")}
	want := Identity{Name: "n1", ServerID: newServerID("n1"), ClusterID: newClusterID(), Stored: "0"}
	if err := m.Save(want); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{m.Path, m.Path + copySuffix} {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			rotten := bytes.Clone(whole)
			rotten[i] ^= 1 << (i % 8)
			if err := os.WriteFile(path, rotten, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, some, err := m.Load(); got != want || !some || err != nil {
				t.Fatalf("byte %d of %s: %+v %v %v", i, path, got, some, err)
			}
			if mended, err := os.ReadFile(path); !bytes.Equal(mended, whole) || err != nil {
				t.Fatalf("byte %d of %s was not mended: %s %v", i, path, mended, err)
			}
		}
	}
	for _, path := range m.paths() {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, some, err := m.Load(); some || !errors.Is(err, ErrIdentity) {
		t.Fatal(some, err)
	}
	if err := m.Save(want); err != nil {
		t.Fatal(err)
	}
	if got, _, err := m.Load(); got != want || err != nil {
		t.Fatal(got, err)
	}
}

func TestServerIDs(t *testing.T) {
	for _, name := range []string{"n", "node-1", "a-b-c"} {
		if got := nodeOf(raftID(newServerID(name))); got != name {
			t.Errorf("%s became %s", name, got)
		}
	}
	if nodeOf("plain") != "plain" {
		t.Error("an id without a suffix is its node's name")
	}
}

func TestNodeMetaFits(t *testing.T) {
	m := NodeMeta{Node: strings.Repeat("n", 100), ServerID: strings.Repeat("n", 109), PeerAddr: strings.Repeat("h", 100), ClientAddr: strings.Repeat("c", 100), ClusterID: newClusterID(), HasState: true, Expect: 3}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeNodeMeta(b); err != nil || got != m {
		t.Fatalf("%+v %v", got, err)
	}
	m.PeerAddr = strings.Repeat("h", 500)
	if _, err := m.Encode(); !errors.Is(err, ErrMeta) {
		t.Fatal(err)
	}
	if _, err := DecodeNodeMeta([]byte{0xff, 1, 2}); !errors.Is(err, ErrMeta) {
		t.Fatal(err)
	}
}

func TestRepeatedWarningsAreCounted(t *testing.T) {
	var out bytes.Buffer
	l := NewHCLogger(slog.New(slog.NewTextHandler(&out, nil))).Named("raft")
	for range 100 {
		l.Error("failed to heartbeat to", "peer", "b")
		l.Info("always")
	}
	if got := strings.Count(out.String(), "failed to heartbeat"); got != repeatsBurst {
		t.Errorf("shown %d times", got)
	}
	if got := strings.Count(out.String(), "always"); got != 100 {
		t.Errorf("information is not held back: %d", got)
	}
	r := newRepeats()
	now := time.Now()
	for range 10 {
		r.show("m", now)
	}
	if show, hidden := r.show("m", now.Add(repeatsEvery)); !show || hidden != 10-repeatsBurst {
		t.Errorf("%v, %d hidden", show, hidden)
	}
	for i := range 2 * repeatsMax {
		r.show(time.Duration(i).String(), now)
	}
	if len(r.seen) > repeatsMax {
		t.Errorf("%d messages are remembered", len(r.seen))
	}
}
