package progress

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// session is two runs: the first takes as long as was said, the second longer.
func session(d *Display) {
	var confirmed atomic.Int64
	d.Begin(Run{Name: "kill leader", Length: 20 * time.Second, Confirmed: confirmed.Load})
	for range 10 {
		time.Sleep(time.Second)
		confirmed.Add(1234)
	}
	d.Phase("healing")
	d.Say("%s is back", "n1")
	time.Sleep(10 * time.Second)
	d.End(true, "kill leader: 12 of 12 valid")
	d.Begin(Run{Name: "halves", Length: time.Second})
	time.Sleep(3 * time.Second)
	d.End(false, "halves: 3 lost")
	d.Stop()
	d.Say("too late")
	d.Stop()
}

func TestPlainLinesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		session(New(&out, 2))
		require.Equal(t, `run 1 of 2: kill leader, about 20 s
  n1 is back
ok     1/2  kill leader: 12 of 12 valid
run 2 of 2: halves, about 1 s
FAILED 2/2  halves: 3 lost
`, out.String())
	})
}

func TestBarOnTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		session(begin(&out, 2, wide))
		text := out.String()
		for _, want := range []string{
			"  1/2 kill leader: 15 s left, 6,170 confirmed ",
			"  1/2 kill leader: healing, 5 s left, 12,340 confirmed ",
			"\r  n1 is back\n",
			"\x1b[32m✓\x1b[0m 1/2  kill leader: 12 of 12 valid\n",
			"  2/2 halves: ending, 12,340 confirmed ",
			"\x1b[31m✗\x1b[0m 2/2  halves: 3 lost\n",
			"100%  ████████████████  2 of 2 ended, 12,340 confirmed ",
		} {
			require.Contains(t, text, want)
		}
		require.True(t, strings.HasSuffix(text, "\n"))
		require.NotContains(t, text, "too late")
	})
}

func TestNarrowTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		session(begin(&out, 2, func() int { return 44 }))
		require.Contains(t, out.String(), "…")
		for line := range strings.FieldsFuncSeq(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if strings.Contains(line, "%") {
				require.LessOrEqual(t, utf8.RuneCountInString(line), 44, line)
			}
		}
	})
}

func wide() int { return 120 }

func TestNoColourIfUnwanted(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		session(begin(&out, 2, wide))
		require.NotContains(t, out.String(), "\x1b")
		require.Contains(t, out.String(), "FAILED 2/2")
	})
}
