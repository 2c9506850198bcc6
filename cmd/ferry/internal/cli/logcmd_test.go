package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

func entriesOf(t *testing.T, out string) (all []history.Entry) {
	t.Helper()
	for line := range strings.Lines(out) {
		var e history.Entry
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&e), line)
		all = append(all, e)
	}
	return all
}

// TestLogDump: what was done to a node is in its log, with each log store; a
// running node's is refused, and a kill leaves one that can be read.
func TestLogDump(t *testing.T) {
	for _, kind := range []string{"wal", "boltdb"} {
		t.Run(kind, func(t *testing.T) {
			o := newOneNode(t)
			o.args = append(o.args, "--log-store", kind)
			env := map[string]string{"FERRY_URL": o.url, "FERRY_TIMEOUT": patience, "FERRY_DATA": o.args[4]}
			require.Equal(t, ExitNotFound, ferry(t, env, "", "log", "dump").code)
			p := o.start(t)
			long := strings.Repeat("x", 100)
			for _, args := range [][]string{
				{"queue", "create", "q", "--max-messages", "7"}, {"publish", "q", "one"}, {"publish", "q", long},
				{"consume", "q", "--count", "1"}, {"queue", "pause", "q"}, {"queue", "purge", "q"},
			} {
				require.Equal(t, ExitOK, ferry(t, env, "", args...).code, args)
			}
			busy := ferry(t, env, "", "log", "dump")
			require.Equal(t, ExitLocked, busy.code)
			require.Contains(t, busy.err, "in use")
			require.Empty(t, busy.out)
			require.NoError(t, p.cmd.Process.Kill())
			require.Equal(t, -1, p.exit(t))

			all := ferry(t, env, "", "log", "dump")
			require.Equal(t, ExitOK, all.code, all.err)
			requireStory(t, entriesOf(t, all.out), long[:64])
			requireMoved(t, env, all.out)
		})
	}
}

func requireStory(t *testing.T, entries []history.Entry, long string) {
	t.Helper()
	found := map[string][]history.Command{}
	lease := int64(0)
	for i, e := range entries {
		require.Equal(t, uint64(i+1), e.Index)
		require.False(t, e.Void)
		if len(e.Commands) > 0 {
			require.GreaterOrEqual(t, e.LeaseMillis, lease)
			lease = e.LeaseMillis
		}
		for _, c := range e.Commands {
			found[c.Kind] = append(found[c.Kind], c)
		}
	}
	require.Positive(t, entries[len(entries)-1].WallMillis)
	require.Positive(t, lease)
	require.Equal(t, "one", found["leader"][0].Node)
	require.Equal(t, "q", found["queuecreate"][0].Queue)
	require.Equal(t, uint64(7), found["queuecreate"][0].Settings.MaxMessages)
	published := found["publish"]
	require.Len(t, published, 2)
	require.Equal(t, []string{"one"}, published[0].Bodies)
	require.Equal(t, []string{long}, published[1].Bodies)
	require.Equal(t, []int{100}, published[1].Sizes)
	require.Positive(t, published[0].Number)
	require.Len(t, published[0].Session, 32)
	require.Equal(t, "ack", found["settle"][0].Items[0].Action)
	require.Positive(t, found["settle"][0].Items[0].Token)
	require.Equal(t, "q", found["consume"][0].Queue)
	require.True(t, found["queuepause"][0].Paused)
	require.Len(t, found["queuepurge"], 1)
	require.Equal(t, "one", found["attach"][0].Node)
}

// requireMoved reads a part, and the same log after a rebuild moved it aside.
func requireMoved(t *testing.T, env map[string]string, all string) {
	t.Helper()
	lines := slices.Collect(strings.Lines(all))
	part := ferry(t, env, "", "log", "dump", "--from", "2", "--to", "3")
	require.Equal(t, ExitOK, part.code, part.err)
	require.Equal(t, strings.Join(lines[1:3], ""), part.out)

	group := filepath.Join(env["FERRY_DATA"], "group-0")
	require.NoError(t, os.Rename(group, group+".old-2"))
	gone := ferry(t, env, "", "log", "dump")
	require.Equal(t, ExitNotFound, gone.code)
	require.Contains(t, gone.err, "group-0.old-2")
	old := ferry(t, env, "", "log", "dump", "--old", "2")
	require.Equal(t, ExitOK, old.code, old.err)
	require.Equal(t, all, old.out)
}

// TestNoLogToDump: a file is no data folder.
func TestNoLogToDump(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	r := ferry(t, nil, "", "log", "dump", "--data", file)
	require.Equal(t, ExitNotFound, r.code, r.err)
	require.Contains(t, r.err, "no log")
}
