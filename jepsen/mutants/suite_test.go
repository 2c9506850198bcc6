package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const sum = "return a + b + fixed"

func TestFatesByTests(t *testing.T) {
	root := project(t)
	l := lab{root: root, out: new(bytes.Buffer)}
	defer l.close()
	for _, c := range []struct {
		name    string
		changes []string
		fate    fate
		note    string
	}{
		{"fails", []string{sum, "return a - b + fixed"}, killed, ""},
		{"panics", []string{sum, "panic(a + b + fixed)"}, killed, ""},
		{"passes", []string{sum, "return b + a + fixed"}, survived, ""},
		{"another one fails", []string{"2 * a", "3 * a"}, otherwise, "of TestAdd/small, 0 failed and 1 passed"},
		{"ends before the test does", []string{sum, "os.Exit(1)\n\treturn a"}, otherwise, "of TestAdd/small, 0 failed and 0 passed"},
		{"does not build", []string{sum, "return a + missing"}, notBuilt, "undefined: missing"},
		{"hangs", []string{sum, "for {\n\t}"}, tooLong, ""},
		{"is gone from the copy", []string{sum, "return a - b + fixed"}, killed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.limit = buildLimit
			if c.fate == tooLong {
				l.limit = 5 * time.Second
			}
			e := l.try(t.Context(), testMutantOf(t, c.changes...))
			require.Equal(t, c.fate, e.fate, e.note)
			require.Contains(t, e.note, c.note)
			if c.fate == killed {
				require.Equal(t, []string{"TestAdd/small"}, e.kinds)
				require.Positive(t, e.seen)
				require.LessOrEqual(t, e.seen, e.took)
			}
			copied, err := os.ReadFile(filepath.Join(l.shared, "tree", "add", "add.go"))
			require.NoError(t, err)
			require.Equal(t, adder, string(copied), "the patch is taken back")
		})
	}
}

// A test that fails anyway, or is not there, proves nothing of a mutant.
func TestNamedTestsAreSound(t *testing.T) {
	root := project(t)
	m := testMutantOf(t, sum, "return a - b + fixed")
	for name, c := range map[string]struct {
		from, to string
		sound    bool
	}{
		"as it is": {"", "", true},
		"fails":    {"{1, 2, 3}", "{1, 2, 4}", false},
		"renamed":  {`"small"`, `"little"`, false},
		"skipped":  {"if Add(", "t.Skip()\n\t\t\tif Add(", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(root, "add", "add_test.go")
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(sums, c.from, c.to, 1)), 0o644))
			l := lab{root: root, limit: buildLimit, out: new(bytes.Buffer), known: map[string]bool{}}
			defer l.close()
			require.Equal(t, c.sound, l.sound(t.Context(), m))
		})
	}
}

func TestBuildOnly(t *testing.T) {
	l := lab{root: project(t), limit: buildLimit, build: true, out: new(bytes.Buffer)}
	defer l.close()
	require.Equal(t, built, l.try(t.Context(), testMutantOf(t, sum, "return a - b + fixed")).fate)
	require.Equal(t, notBuilt, l.try(t.Context(), testMutantOf(t, sum, "return missing")).fate)
}

func TestKeptTreeOfTests(t *testing.T) {
	l := lab{root: project(t), limit: buildLimit, keep: true, out: new(bytes.Buffer)}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	defer l.close()
	e := l.try(t.Context(), testMutantOf(t, sum, "return b + a + fixed"))
	require.Equal(t, survived, e.fate)
	kept, err := filepath.Glob(filepath.Join(dir, "ferry-mutant-*"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Contains(t, e.note, kept[0])
	require.Equal(t, killed, l.try(t.Context(), testMutantOf(t, sum, "return a - b + fixed")).fate, "on a copy of its own")
}

func TestPick(t *testing.T) {
	run := mutant{number: "01", caughtBy: []string{"ferry", "run"}}
	test := mutant{number: "02", caughtBy: []string{"go", "test", "./fsm"}}
	for _, c := range []struct {
		only  []string
		tests bool
		want  []mutant
	}{
		{nil, false, []mutant{run, test}},
		{nil, true, []mutant{test}},
		{[]string{"01"}, false, []mutant{run}},
	} {
		got, err := pick([]mutant{run, test}, c.only, c.tests)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := pick([]mutant{run}, []string{"09"}, false)
	require.Error(t, err)
}
