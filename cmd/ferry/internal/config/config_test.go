package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// load runs Load with arguments, an environment and a file's text ("": none).
func load(t *testing.T, args []string, env map[string]string, file string) (*Config, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "ferry.yaml")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
		args = append(args, "--config", path)
	}
	set := pflag.NewFlagSet("server", pflag.ContinueOnError)
	flags := Register(set)
	require.NoError(t, set.Parse(args))
	return Load(flags, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

func TestPrecedence(t *testing.T) {
	const file = "raft-commit-timeout: 61ms\nnode: from-file\nlog-level: debug\n"
	env := map[string]string{"FERRY_NODE": "from-env", "FERRY_RAFT_COMMIT_TIMEOUT": "62ms", "FERRY_LOG_FORMAT": ""}
	c, err := load(t, []string{"--raft-commit-timeout", "63ms"}, env, file)
	require.NoError(t, err)
	require.Equal(t, 63*time.Millisecond, c.CommitTimeout, "flag")
	require.Equal(t, "from-env", c.Node, "environment")
	require.Equal(t, "debug", c.LogLevel, "file")
	require.Equal(t, "text", c.LogFormat, "default; an empty variable says nothing")
}

func TestDerivedAddresses(t *testing.T) {
	c, err := load(t, []string{"--listen", "0.0.0.0:7700", "--advertise", "one:7700", "--gossip", "10.0.0.1:7701", "--without-cluster-key"}, nil, "")
	require.NoError(t, err)
	require.Equal(t, "one:7700", c.AdvertiseClient)
	require.Equal(t, "10.0.0.1:7701", c.AdvertiseGossip)
	require.NotEmpty(t, c.Node)
}

func TestLists(t *testing.T) {
	for name, given := range map[string]struct {
		args []string
		env  map[string]string
		file string
	}{
		"repeated flag":   {args: []string{"--join", "a:1", "--join", "b:2"}},
		"commas":          {args: []string{"--join", "a:1, b:2"}},
		"environment":     {env: map[string]string{"FERRY_JOIN": "a:1,b:2"}},
		"file, sequence":  {file: "join: [\"a:1\", \"b:2\"]\n"},
		"file, one value": {file: "join: a:1,b:2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, given.args, given.env, given.file)
			require.NoError(t, err)
			require.Equal(t, []string{"a:1", "b:2"}, c.Join)
		})
	}
}

// TestMistakes: each setting's mistakes, by a part of their text.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  map[string]string
		file string
		want string
	}{
		{args: []string{"--node", "a b"}, want: `--node: "a b" is no name`},
		{args: []string{"--node", strings.Repeat("n", NodeNameMax+1)}, want: "--node"},
		{args: []string{"--data", ""}, want: "--data: names no folder"},
		{args: []string{"--listen", "7700"}, want: `--listen: "7700" is no host:port`},
		{args: []string{"--listen", "a:99999"}, want: "--listen: \"a:99999\" has no port"},
		{args: []string{"--listen", "0.0.0.0:1"}, want: "--advertise: needed"},
		{args: []string{"--listen", ":1"}, want: "--advertise: needed"},
		{args: []string{"--advertise", "[::]:1"}, want: "--advertise: [::]:1 is no address"},
		{args: []string{"--advertise-client", "x"}, want: `--advertise-client: "x" is no host:port`},
		{args: []string{"--gossip", "0.0.0.0:1"}, want: "--advertise-gossip: needed"},
		{args: []string{"--http", ""}, want: "--http"},
		{args: []string{"--join", "x"}, want: "--join"},
		{args: []string{"--bootstrap-expect", "10"}, want: "--bootstrap-expect: 10 is not between"},
		{args: []string{"--bootstrap-expect", "3"}, want: "--join: needed"},
		{args: []string{"--bootstrap-expect", "three"}, want: `--bootstrap-expect: "three" is not a whole number`},
		{args: []string{"--log-store", "lmdb"}, want: `--log-store: "lmdb"`},
		{args: []string{"--log-level", "loud"}, want: "--log-level"},
		{args: []string{"--log-format", "xml"}, want: "--log-format"},
		{args: []string{"--memory-limit", "1MiB"}, want: "--memory-limit: 1MiB is less than 64MiB"},
		{args: []string{"--message-max", "1025KiB"}, want: "--message-max: 1025KiB is not between 1KiB and 1MiB"},
		{args: []string{"--message-max", "1MB"}, want: `--message-max: "1MB" is not a size`},
		{args: []string{"--message-max", "99999999999GiB"}, want: "too large"},
		{args: []string{"--connections", "0"}, want: "--connections"},
		{args: []string{"--disk-low", "60%"}, want: `--disk-low: "60%" is no share`},
		{args: []string{"--publish-rate", "-1"}, want: "--publish-rate: -1 is not between"},
		{args: []string{"--publish-burst", "5"}, want: "--publish-burst: needs --publish-rate"},
		{args: []string{"--trace-events", "-1"}, want: "--trace-events: -1 is not between"},
		{args: []string{"--snapshot-bytes", "0"}, want: "--snapshot-bytes"},
		{args: []string{"--trailing-bytes", "0"}, want: "--trailing-bytes"},
		{args: []string{"--gossip", "10.0.0.1:1"}, want: "--cluster-key-file: needed, because 10.0.0.1:1"},
		{args: []string{"--without-cluster-key", "--cluster-key-file", "key"}, want: "--without-cluster-key: excludes"},
		{args: []string{"--shutdown-timeout", "1h"}, want: "--shutdown-timeout: 1h0m0s is not between"},
		{args: []string{"--store-deadline", "soon"}, want: `--store-deadline: "soon" is not a duration`},
		{args: []string{"--raft-leader-lease-timeout", "2s"}, want: "two nodes could lead"},
		{args: []string{"--raft-election-timeout", "100ms"}, want: "--raft-election-timeout: 100ms is shorter"},
		{args: []string{"--pprof=perhaps"}, want: `--pprof: "perhaps"`},
		{args: []string{"--config", "/nowhere.yaml"}, want: "--config"},
		{env: map[string]string{"FERRY_LOG_LEVEL": "loud"}, want: "--log-level"},
		{env: map[string]string{"FERRY_CONNECTIONS": "many"}, want: "FERRY_CONNECTIONS"},
		{file: "lissten: a:1\n", want: "ferry.yaml:1: lissten: no such setting"},
		{file: "node: a\nnode: b\n", want: "ferry.yaml:2: node: given twice"},
		{file: "node: [a]\n", want: "want one value of type string"},
		{file: "join: [[a]]\n", want: "want a list of texts"},
		{file: "node:\n", want: "has no value"},
		{file: "- node\n", want: "want `name: value` lines"},
		{file: "a: b: c\n", want: "ferry.yaml"},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := load(t, c.args, c.env, c.file)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestAllMistakesAtOnce: one start tells everything that is wrong.
func TestAllMistakesAtOnce(t *testing.T) {
	_, err := load(t,
		[]string{"--node", "a b", "--connections", "many", "--log-store", "lmdb"},
		map[string]string{"FERRY_STORE_DEADLINE": "soon", "FERRY_GOSSIP": "nowhere"},
		"lissten: a:1\nmessage-max: huge\n")
	require.Error(t, err)
	for _, want := range []string{"--node", "--connections", "--log-store", "FERRY_STORE_DEADLINE", "--gossip", "lissten", "message-max"} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 7)
}

// TestPrintIsAFile: what --print-config prints, --config takes.
func TestPrintIsAFile(t *testing.T) {
	first, err := load(t, []string{"--node", "a", "--join", "b:1,c:2", "--memory-limit", "1GiB", "--pprof"}, nil, "")
	require.NoError(t, err)
	second, err := load(t, nil, nil, first.Print())
	require.NoError(t, err)
	second.File = ""
	require.Equal(t, first, second)
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "17": 17, "17B": 17, "2KiB": 2048, " 3 MiB": 3 << 20, "1GiB": 1 << 30} {
		got, err := ParseBytes(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := ParseBytes(got.String())
		require.NoError(t, err)
		require.Equal(t, want, again)
	}
	for _, text := range []string{"", "-1", "1.5MiB", "MiB", "1 GB"} {
		_, err := ParseBytes(text)
		require.Error(t, err, text)
	}
}
