package fsm

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown is a script and the words of one of its comments.
var shown = regexp.MustCompile("`(\\w+\\.txt)` \"([^\"]+)\"")

// TestEveryBadCaseHasAScript: the table of the scripts has a script in each
// cell, which says what the table says of it, and every script has a place.
func TestEveryBadCaseHasAScript(t *testing.T) {
	text, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	comments, named := map[string]string{}, map[string]bool{}
	for _, file := range files {
		comments[filepath.Base(file)] = commentsOf(t, file)
	}
	parts := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| part |") {
			continue
		}
		parts++
		if len(cells) != 6 {
			t.Errorf("%d cells: %s", len(cells), line)
		}
		for i, cell := range cells[1:] {
			all := shown.FindAllStringSubmatch(cell, -1)
			if len(all) == 0 {
				t.Errorf("%s: nothing shows case %d:%s", cells[0], i, cell)
			}
			for _, s := range all {
				named[s[1]] = true
				if !strings.Contains(comments[s[1]], s[2]) {
					t.Errorf("%s: no comment of %s has the words %q", cells[0], s[1], s[2])
				}
			}
		}
	}
	if parts < 20 {
		t.Fatalf("%d parts: the table was not understood", parts)
	}
	for file := range comments {
		if !named[file] {
			t.Errorf("%s is not in the table", file)
		}
	}
}

// commentsOf are the comments of a script, those of each block on a line.
func commentsOf(t *testing.T, file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if c, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
			out.WriteString(c)
		} else {
			out.WriteString("\n")
		}
	}
	return out.String()
}
