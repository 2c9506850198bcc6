package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every patch has a whole header, applies to the tree as it is, and leaves
// Go that is formatted. Whether it builds, only a run tells.
func TestPatches(t *testing.T) {
	list, err := load(".")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list), 36)
	root, err := rootOf(t.Context())
	require.NoError(t, err)
	kinds := append(kindsOf(t, filepath.Join(root, "jepsen", "check", "kinds.go")),
		kindsOf(t, filepath.Join(root, "jepsen", "witness", "checker.go"))...)
	for _, m := range list {
		t.Run(m.String(), func(t *testing.T) {
			if m.byTest() {
				requireOneLine(t, m, root)
				requireTests(t, m, root)
			} else {
				require.Subset(t, kinds, m.expect)
			}
			tree := filepath.Join(t.TempDir(), "tree")
			files := patched(t, m)
			for _, name := range files {
				require.NoError(t, copyFile(filepath.Join(root, name), filepath.Join(tree, name)))
			}
			text, err := apply(t.Context(), tree, mustAbs(t, m.path))
			require.NoError(t, err, text)
			for _, name := range files {
				requireMutated(t, filepath.Join(root, name), filepath.Join(tree, name))
			}
		})
	}
}

var patchedFile = regexp.MustCompile(`(?m)^\+\+\+ b/(.+)$`)

func patched(t *testing.T, m mutant) (names []string) {
	b, err := os.ReadFile(m.path)
	require.NoError(t, err)
	for _, match := range patchedFile.FindAllStringSubmatch(string(b), -1) {
		require.False(t, strings.HasSuffix(match[1], "_test.go"), "a mutant changes the product")
		names = append(names, match[1])
	}
	require.NotEmpty(t, names)
	return names
}

func requireMutated(t *testing.T, from, to string) {
	before, err := os.ReadFile(from)
	require.NoError(t, err)
	after, err := os.ReadFile(to)
	require.NoError(t, err)
	require.False(t, bytes.Equal(before, after))
	formatted, err := format.Source(after)
	require.NoError(t, err)
	require.Equal(t, string(formatted), string(after), "gofmt")
}

// requireOneLine: the bug that a test is to catch is one line, changed or left
// out, and there is one place for it: with so little around it the patch could
// go elsewhere once the file has changed.
func requireOneLine(t *testing.T, m mutant, root string) {
	b, err := os.ReadFile(m.path)
	require.NoError(t, err)
	_, hunk, _ := strings.Cut(string(b), "\n@@ ")
	_, hunk, _ = strings.Cut(hunk, "\n")
	var before strings.Builder
	count := map[byte]int{}
	for line := range strings.Lines(hunk) {
		if count[line[0]]++; line[0] != '+' {
			before.WriteString(line[1:])
		}
	}
	require.Equal(t, 1, count['-'])
	require.LessOrEqual(t, count['+'], 1)
	files := patched(t, m)
	require.Len(t, files, 1)
	source, err := os.ReadFile(filepath.Join(root, files[0]))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), before.String()))
}

// requireTests: the tests that are to fail are there. That they pass without
// the bug, only a run tells.
func requireTests(t *testing.T, m mutant, root string) {
	dir := filepath.Join(root, m.caughtBy[2])
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, test := range m.expect {
		name, part, _ := strings.Cut(test, "/")
		require.True(t, slices.ContainsFunc(files, func(path string) bool {
			b, err := os.ReadFile(path)
			return err == nil && bytes.Contains(b, []byte("\nfunc "+name+"("))
		}), "%s is not in %s", name, dir)
		if name == "TestScripts" {
			require.FileExists(t, filepath.Join(dir, "testdata", part+".txt"))
		}
	}
}

// kindsOf reads the kinds of problems from the constants of a file.
func kindsOf(t *testing.T, path string) (kinds []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Kind") {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		kinds = append(kinds, kind)
		return true
	})
	require.NotEmpty(t, kinds)
	return kinds
}

func mustAbs(t *testing.T, path string) string {
	abs, err := filepath.Abs(path)
	require.NoError(t, err)
	return abs
}

func TestHeaderMistakes(t *testing.T) {
	const diff = "diff --git a/x b/x\n"
	good := []string{"Bug: b.\n", "Caught-by: ferry run\n", "Expect: lost\n", "\n", diff}
	for name, c := range map[string]struct {
		change func(lines []string)
		want   string
	}{
		"no bug":        {func(l []string) { l[0] = "" }, "no Bug"},
		"no run":        {func(l []string) { l[1] = "" }, "no Caught-by"},
		"other program": {func(l []string) { l[1] = "Caught-by: rm -r x\n" }, "neither ferry nor go test"},
		"no go test":    {func(l []string) { l[1] = "Caught-by: go run ./x\n" }, "neither ferry nor go test"},
		"no test":       {func(l []string) { l[1] = "Caught-by: go test ./x\n" }, "\"lost\", which is no test"},
		"no kinds":      {func(l []string) { l[2] = "" }, "no kind of problem"},
		"bad kind":      {func(l []string) { l[2] = "Expect: lost, a.*\n" }, "no kind of problem"},
		"unknown field": {func(l []string) { l[3] = "Why: because\n" }, "no field"},
		"twice":         {func(l []string) { l[3] = "Bug: c.\n" }, "twice"},
		"no diff":       {func(l []string) { l[4] = "" }, "no diff"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := append([]string(nil), good...)
			c.change(lines)
			path := filepath.Join(t.TempDir(), "01-x.patch")
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644))
			_, err := read(path)
			require.ErrorContains(t, err, c.want)
		})
	}
	path := filepath.Join(t.TempDir(), "01-x.patch")
	good[0] = "Bug: a long\n story.\n"
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(good, "")), 0o644))
	m, err := read(path)
	require.NoError(t, err)
	require.Equal(t, "a long story.", m.bug)
	require.Equal(t, []string{"ferry", "run"}, m.caughtBy)
}
