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

// TestCallsOfChoosing: what choosing.md says of the Go client is there. Its
// commands are tried where they are made.
func TestCallsOfChoosing(t *testing.T) {
	text, err := os.ReadFile("choosing.md")
	require.NoError(t, err)
	names := exported(t, "../client")
	calls := regexp.MustCompile(`\b(client|conn|tx|d)\.([A-Z]\w+)`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(calls), 50, "calls were not found")
	of := map[string]string{"client": "", "conn": "Conn.", "tx": "Tx.", "d": "Delivery."}
	for _, c := range calls {
		assert.True(t, names[of[c[1]]+c[2]], "there is no %s", c[0])
	}
	for _, c := range regexp.MustCompile("`client\\.(\\w+)` with ([^;|]*)").FindAllStringSubmatch(string(text), -1) {
		for _, field := range regexp.MustCompile("`([A-Z]\\w+)").FindAllStringSubmatch(c[2], -1) {
			assert.True(t, names[c[1]+"."+field[1]], "client.%s has no %s", c[1], field[1])
		}
	}
}

// TestTablesOfChoosing: each table begins with a heading and has a row besides.
// A row that stands alone, or after an empty line, is shown as text.
func TestTablesOfChoosing(t *testing.T) {
	text, err := os.ReadFile("choosing.md")
	require.NoError(t, err)
	tables := 0
	for _, block := range strings.Split(string(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if !strings.HasPrefix(lines[0], "|") {
			continue
		}
		tables++
		if assert.Greater(t, len(lines), 2, block) {
			assert.Regexp(t, `^\|( --- \|)+$`, lines[1], "no table begins with: %s", lines[0])
		}
	}
	require.Greater(t, tables, 5, "tables were not found")
}

// exported are the names of a package: Name, Type.Method and Type.Field.
func exported(t *testing.T, dir string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool { name(n, names); return true })
	}
	return names
}

func name(n ast.Node, names map[string]bool) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		of := ""
		if n.Recv != nil {
			of = typeName(n.Recv.List[0].Type) + "."
		}
		names[of+n.Name.Name] = true
	case *ast.ValueSpec:
		for _, id := range n.Names {
			names[id.Name] = true
		}
	case *ast.TypeSpec:
		names[n.Name.Name] = true
		s, ok := n.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, f := range s.Fields.List {
			for _, id := range f.Names {
				names[n.Name.Name+"."+id.Name] = true
			}
		}
	}
}

func typeName(e ast.Expr) string {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
