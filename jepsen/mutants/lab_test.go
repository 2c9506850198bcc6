package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is the ferry of a project that is small enough to be built here.
const program = `package main

import (
	"fmt"
	"os"
	"time"
)

const (
	result = "accounting: lost=0"
	found  = "{}"
	code   = 0
	nap    = time.Duration(0)
)

func main() {
	run := os.Args[len(os.Args)-1] + "/001-none" // of --dir
	os.MkdirAll(run, 0o755)
	os.WriteFile(run+"/verdicts.json", []byte("[{\"found\": "+found+"}]"), 0o644)
	fmt.Println(result)
	time.Sleep(nap)
	os.Exit(code)
}
`

// adder is a package of it, and sums are its tests.
const (
	adder = `package add

import "os"

const fixed = 0

func Add(a, b int) int {
	if os.Getenv("NEVER") != "" {
		panic("never")
	}
	return a + b + fixed
}

func Twice(a int) int { return 2 * a }
`
	sums = `package add

import "testing"

func TestAdd(t *testing.T) {
	for name, c := range map[string][3]int{"small": {1, 2, 3}, "none": {0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			if Add(c[0], c[1]) != c[2] {
				t.Fatal("not the sum")
			}
		})
	}
}

func TestTwice(t *testing.T) {
	if Twice(3) != 6 {
		t.Fatal("not twice")
	}
}
`
)

// project makes that project, and a folder for temporary ones that must be
// empty in the end.
func project(t *testing.T) (root string) {
	root = t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module tiny\n\ngo 1.26\n", "cmd/ferry/main.go": program,
		"add/add.go": adder, "add/add_test.go": sums,
		".gitignore": "/big\n", "big": "not copied",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	require.NoError(t, exec.Command("git", "init", "-q", root).Run())
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Cleanup(func() {
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		for _, e := range left {
			require.False(t, strings.HasPrefix(e.Name(), "ferry-mutant-"), "%s is left", e.Name())
		}
	})
	return root
}

// mutantOf is a patch of the program that replaces lines in it.
func mutantOf(t *testing.T, changes ...string) mutant {
	return planted(t, "cmd/ferry/main.go", program, "Caught-by: ferry jepsen run\nExpect: lost, after_ack\n", changes...)
}

// testMutantOf is one of the package, for a test of it.
func testMutantOf(t *testing.T, changes ...string) mutant {
	return planted(t, "add/add.go", adder, "Caught-by: go test ./add -run TestAdd/small|TestTwice\nExpect: TestAdd/small\n", changes...)
}

func planted(t *testing.T, name, text, header string, changes ...string) mutant {
	dir := t.TempDir()
	for _, side := range []string{"a", "b"} {
		path := filepath.Join(dir, side, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		written := text
		if side == "b" {
			written = strings.NewReplacer(changes...).Replace(text)
		}
		require.NoError(t, os.WriteFile(path, []byte(written), 0o644))
	}
	cmd := exec.Command("git", "diff", "--no-index", "--no-prefix", "a", "b")
	cmd.Dir = dir
	diff, err := cmd.Output()
	require.Error(t, err, "git diff ends with 1 when there is a difference")
	path := filepath.Join(dir, "01-planted.patch")
	require.NoError(t, os.WriteFile(path, []byte("Bug: planted.\n"+header+"\n"+string(diff)), 0o644))
	m, err := read(path)
	require.NoError(t, err)
	return m
}

const (
	clean, lossy = `"accounting: lost=0"`, `"accounting: lost=3 after_ack=1"`
	quiet        = `"{}"`
	well, ill    = "code   = 0", "code   = 1"
)

func TestFates(t *testing.T) {
	root := project(t)
	for _, c := range []struct {
		name    string
		changes []string
		fate    fate
		kinds   []string
		note    string
	}{
		{"printed", []string{clean, lossy, well, ill}, killed, []string{"lost", "after_ack"}, ""},
		{"in a list", []string{clean, `"work/accounting invalid; after_ack: p1-2"`, well, ill}, killed, []string{"after_ack"}, ""},
		{"in a verdict", []string{quiet, strconv.Quote(`{"after_ack": 2, "ghost": 1}`), well, ill}, killed, []string{"after_ack"}, ""},
		{"reported, and well all the same", []string{clean, lossy, quiet, strconv.Quote(`{"lost": 3}`)}, survived, nil, "lost=3"},
		{"unharmed", []string{"time.Sleep(nap)", "time.Sleep(2 * nap)"}, survived, nil, "lost=0"},
		{"failed without a report", []string{well, ill}, otherwise, nil, "exit status 1"},
		{"another kind", []string{clean, `"accounting: not_lost=1 ghost=3"`, well, ill}, otherwise, nil, "ghost=3"},
		{"another verdict", []string{quiet, strconv.Quote(`{"ghost": 3}`), well, ill}, otherwise, nil, "ghost:3"},
		{"unreadable verdict", []string{quiet, strconv.Quote(`{"lost": "many"}`), well, ill}, otherwise, nil, "verdicts.json"},
		{"hanging", []string{clean, lossy, "Duration(0)", "Hour"}, tooLong, nil, "lost=3"},
		{"unsound", []string{clean, "missing"}, notBuilt, nil, "undefined: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := lab{root: root, limit: time.Minute, out: new(bytes.Buffer)}
			if c.fate == tooLong {
				l.limit = 2 * time.Second
			}
			e := l.try(t.Context(), mutantOf(t, c.changes...))
			require.Equal(t, c.fate, e.fate, e.note)
			require.Contains(t, e.note, c.note)
			if c.fate == killed {
				require.Equal(t, c.kinds, e.kinds)
				require.Positive(t, e.seen)
				require.LessOrEqual(t, e.seen, e.took)
			}
		})
	}
}

// A run that is red anyway kills nothing.
func TestRunsAreSound(t *testing.T) {
	root := project(t)
	m := mutantOf(t, clean, lossy, well, ill)
	var out bytes.Buffer
	l := lab{root: root, limit: time.Minute, out: &out, known: map[string]bool{}}
	require.True(t, l.sound(t.Context(), m))
	require.True(t, l.sound(t.Context(), m))
	require.Equal(t, 1, strings.Count(out.String(), "green"), "the same run need not be made twice")
	path := filepath.Join(root, "cmd/ferry/main.go")
	red := strings.NewReplacer(well, ill, clean, lossy).Replace(program)
	require.NoError(t, os.WriteFile(path, []byte(red), 0o644))
	clear(l.known)
	require.False(t, l.sound(t.Context(), m))
	require.Contains(t, out.String(), "RED")
}

// A patch of lines that have changed since is not taken for a survivor.
func TestPatchThatDoesNotApply(t *testing.T) {
	root := project(t)
	m := mutantOf(t, clean, lossy)
	path := filepath.Join(root, "cmd/ferry/main.go")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(program, clean, `"other"`, 1)), 0o644))
	l := lab{root: root, limit: time.Minute, out: new(bytes.Buffer)}
	require.Equal(t, notApplied, l.try(t.Context(), m).fate)
}

func TestInterrupted(t *testing.T) {
	root := project(t)
	m := mutantOf(t, "Duration(0)", "Hour")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress := writerFunc(func(p []byte) {
		if strings.Contains(string(p), "jepsen run") {
			time.AfterFunc(200*time.Millisecond, cancel)
		}
	})
	l := lab{root: root, limit: time.Minute, out: progress}
	require.Equal(t, interrupted, l.try(ctx, m).fate)
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func TestKeptForAPerson(t *testing.T) {
	root := project(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	l := lab{root: root, limit: time.Minute, keep: true, out: new(bytes.Buffer)}
	e := l.try(t.Context(), mutantOf(t, "time.Sleep(nap)", "time.Sleep(2 * nap)"))
	require.Equal(t, survived, e.fate)
	kept, err := filepath.Glob(filepath.Join(dir, "ferry-mutant-*", "tree", "*"))
	require.NoError(t, err)
	require.Contains(t, e.note, filepath.Dir(filepath.Dir(kept[0])))
	for _, path := range kept {
		require.NotEqual(t, "big", filepath.Base(path), "git ignores it")
	}
}

func TestConclusion(t *testing.T) {
	m := mutant{number: "01", name: "planted", bug: "It is.", caughtBy: []string{"ferry", "jepsen", "run"}}
	dead := ending{mutant: m, fate: killed, kinds: []string{"lost", "digest"}, seen: 1500 * time.Millisecond}
	tested := ending{mutant: mutant{number: "02", name: "tested", bug: "It is.", caughtBy: []string{"go", "test", "./x"}},
		fate: killed, kinds: []string{"TestX"}, seen: time.Second}
	var out bytes.Buffer
	require.NoError(t, conclude([]ending{dead, dead}, false, &out))
	require.True(t, strings.HasSuffix(out.String(), "\nmutants: killed=2 of 2 ok\n"), out.String())
	out.Reset()
	require.Error(t, conclude([]ending{dead, {mutant: m, fate: survived}}, false, &out))
	require.True(t, strings.HasSuffix(out.String(), "\nmutants: killed=1 of 2 FAILED\n"), out.String())

	path := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "before\n%s\nold\n%s\nafter\n", blockBegin, blockEnd), 0o644))
	for range 2 {
		require.NoError(t, rewrite(path, table([]ending{dead, tested})))
	}
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "before\n"+blockBegin+"\n"+
		"| mutant | bug | caught by | reported as | after |\n| --- | --- | --- | --- | --- |\n"+
		"| 01 planted | It is. | `ferry jepsen run` | `lost`, `digest` | 1.5 s |\n"+
		"| 02 tested | It is. | `go test ./x` | `TestX` |  |\n"+blockEnd+"\nafter\n", string(b))
	require.Error(t, rewrite(filepath.Join("testdata", "none"), ""))
}
