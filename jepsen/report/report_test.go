package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRoundTrip(t *testing.T) {
	dir, logs := t.TempDir(), t.TempDir()
	d := synthetic(1, 3000)
	from := filepath.Join(logs, "n1.out")
	require.NoError(t, os.WriteFile(from, []byte("started\n"), 0o644))
	d.Logs = map[string]string{"n1.log": from}
	require.NoError(t, Write(dir, d))

	got, err := Read(dir)
	require.NoError(t, err)
	d.Logs = map[string]string{"n1.log": filepath.Join(dir, "logs", "n1.log")}
	same(t, d, got)

	got.Verdicts = got.Verdicts[:1]
	require.NoError(t, Redraw(dir, got))
	again, err := Read(dir)
	require.NoError(t, err)
	same(t, got, again)
	require.NoError(t, Write(dir, again), "logs that are there already stay")
	kept, err := os.ReadFile(filepath.Join(dir, "logs", "n1.log"))
	require.NoError(t, err)
	require.Equal(t, "started\n", string(kept))
}

// same compares as JSON what the form on disk does not tell apart: an empty
// list from none.
func same(t *testing.T, want, got Data) {
	t.Helper()
	w, err := json.Marshal(want.Verdicts)
	require.NoError(t, err)
	g, err := json.Marshal(got.Verdicts)
	require.NoError(t, err)
	require.JSONEq(t, string(w), string(g))
	want.Verdicts, got.Verdicts = nil, nil
	require.True(t, reflect.DeepEqual(want, got), "the run that was read differs")
}

func TestLargeRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := synthetic(2, largeRun)
	began := time.Now()
	require.NoError(t, Write(dir, d))
	took := time.Since(began)
	info, err := os.Stat(filepath.Join(dir, "index.html"))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(2<<20))
	t.Logf("written in %v, page of %d bytes", took, info.Size())
	require.Less(t, took, time.Minute, "a few seconds, on a machine that is free and without the race detector")
}
