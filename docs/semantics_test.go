// Package docs has tests of what the pages say.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proof is what a statement names: a script, with words of one of its comments
// or none, or a test, or a part of one.
var proof = regexp.MustCompile("`(\\w+\\.txt)`(?: \"([^\"]*)\")?|`([\\w/]+)\\.(Test\\w+(?:/\\w+)?)`")

// cases are what each feature is to be asked.
var cases = []string{"**Leader change**", "**Consumer crash**", "**Producer retry**", "**Full queue**"}

// TestStatementsNameTheirTests: every statement of semantics.md names a test or
// a script that exists, and every feature says what happens in each bad case.
func TestStatementsNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("semantics.md")
	require.NoError(t, err)
	tests := map[string]map[string]bool{}
	statements := 0
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			require.True(t, strings.HasPrefix(line, "- "), "%s: no statement: %s", name, line)
			statements++
			proofs := proof.FindAllStringSubmatch(line, -1)
			assert.NotEmpty(t, proofs, "%s: nothing keeps this true: %s", name, line)
			for _, p := range proofs {
				if p[1] != "" {
					assert.True(t, scriptSays(t, p[1], p[2]), "%s: %s", name, p[0])
					continue
				}
				if tests[p[3]] == nil {
					tests[p[3]] = testsOf(t, p[3])
				}
				assert.True(t, tests[p[3]][p[4]], "%s: there is no %s", name, p[0])
			}
		}
		for _, c := range cases {
			assert.True(t, name == "Common ground" || strings.Contains(body, c), "%s says nothing of %s", name, c)
		}
	}
	require.Greater(t, statements, 80, "the page was not understood")
}

// TestEachCauseIsStated: of each cause that protocol.md has of busy there is a
// statement, and each of lease_lost is in one; they are of no other.
func TestEachCauseIsStated(t *testing.T) {
	protocol, err := os.ReadFile("protocol.md")
	require.NoError(t, err)
	semantics, err := os.ReadFile("semantics.md")
	require.NoError(t, err)
	for code, c := range map[string]struct{ statement, name string }{
		"busy":       {"(?m)^- Cause ([^:]*):", "`(\\w+)`"},
		"lease_lost": {"(?m)^- What `lease_lost` gives [^:]*:([^.]*)", "`(\\w+)`,"},
	} {
		var causes, stated []string
		for _, row := range regexp.MustCompile(`(?m)^\| \d+ \| (\w+) \| `+code+` \|`).FindAllSubmatch(protocol, -1) {
			causes = append(causes, string(row[1]))
		}
		for _, line := range regexp.MustCompile(c.statement).FindAllSubmatch(semantics, -1) {
			for _, name := range regexp.MustCompile(c.name).FindAllSubmatch(line[1], -1) {
				stated = append(stated, string(name[1]))
			}
		}
		require.Greater(t, len(causes), 5, "%s: the table was not found", code)
		require.ElementsMatch(t, causes, stated, code)
	}
}

// scriptSays tells whether a comment of a script has these words.
func scriptSays(t *testing.T, script, words string) bool {
	text, err := os.ReadFile(filepath.Join("../fsm/testdata", script))
	if !assert.NoError(t, err) {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if words == "" || strings.HasPrefix(line, "#") && strings.Contains(line, words) {
			return true
		}
	}
	return false
}

// testsOf are the tests of a package, under every build tag, and their parts:
// whatever text a test has may be the name of one.
func testsOf(t *testing.T, pkg string) map[string]bool {
	files, err := filepath.Glob(filepath.Join("..", pkg, "*_test.go"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			found[f.Name.Name] = true
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					found[f.Name.Name+"/"+strings.Trim(text.Value, "\"`")] = true
				}
				return true
			})
		}
	}
	return found
}
