package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCommandsOfChoosing: every command in docs/choosing.md is one, with flags
// and arguments that it takes; those that speak to a cluster get as far as to
// miss it.
func TestCommandsOfChoosing(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/choosing.md")
	require.NoError(t, err)
	var lines []string
	for _, m := range regexp.MustCompile("(?m)^ferry .*$|`(ferry [^`]*)`").FindAllStringSubmatch(string(page), -1) {
		line := m[0]
		if m[1] != "" {
			line = m[1]
		}
		lines = append(lines, line)
	}
	require.Greater(t, len(lines), 50, "commands were not found")
	for _, line := range lines {
		args := shellWords(line)[1:]
		a := &app{Streams: Streams{Env: func(string) (string, bool) { return "", false }}}
		c, rest, err := a.root().Find(args)
		if !assert.NoError(t, err, line) || !assert.True(t, c.HasParent(), line) {
			continue
		}
		if !assert.NoError(t, c.ParseFlags(rest), line) {
			continue
		}
		if c.HasSubCommands() || len(rest) == 0 {
			continue // the name of a command, in the text
		}
		assert.NoError(t, c.ValidateArgs(c.Flags().Args()), line)
		if c.Flag("url") != nil {
			r := ferry(t, map[string]string{"FERRY_URL": "ferry://127.0.0.1:1"}, "", append(args, "--timeout", "1ms")...)
			assert.Equal(t, ExitUnavailable, r.code, "%s: %s", line, r.err)
		}
	}
}

// shellWords splits a line as a shell does that knows single quotes alone.
func shellWords(line string) (all []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	return all
}
