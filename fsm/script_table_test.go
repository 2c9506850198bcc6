package fsm

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown is a script and the words of one of its comments.
var shown = regexp.MustCompile("`(\\w+\\.txt)` \"([^\"]+)\"")

// TestEveryBadCaseHasAScript: the table of the scripts has a script in each
// cell, which says what the table says of it and does what the column is about,
// and every script has a place.
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
				} else if sign := signs[i]; sign != nil && !signed(t, s[1], s[2], sign) {
					t.Errorf("%s: nothing of %s happens where %s says %q", cells[0], columns[i], s[1], s[2])
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

// TestStatementsOfBadCases: what semantics.md says of a bad case names a part of
// a script in which that happens, if it names a script at all.
func TestStatementsOfBadCases(t *testing.T) {
	text, err := os.ReadFile("../docs/semantics.md")
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for line := range strings.Lines(string(text)) {
		all := shown.FindAllStringSubmatch(line, -1)
		if len(all) == 0 {
			continue
		}
		for i, sign := range signs {
			if sign == nil || !strings.Contains(strings.ToLower(line), "**"+columns[i]+"**") {
				continue
			}
			statements++
			if !slices.ContainsFunc(all, func(s []string) bool { return signed(t, s[1], s[2], sign) }) {
				t.Errorf("nothing of %s happens in what is named: %s", columns[i], line)
			}
		}
	}
	if statements < 50 {
		t.Fatalf("%d statements: the page was not understood", statements)
	}
}

// columns of the table, and what has to be seen in a part of a script for it to
// be about one.
var columns = [5]string{"as it should go", "leader change", "consumer crash", "producer retry", "full queue"}

var signs = [5]func(p *scriptPart) bool{
	1: func(p *scriptPart) bool { return elects.MatchString(p.text) },
	2: func(p *scriptPart) bool { return detaches.MatchString(p.before + p.text) },
	3: func(p *scriptPart) bool { return p.repeats },
	4: func(p *scriptPart) bool { return fills.MatchString(p.text) },
}

var (
	elects   = regexp.MustCompile(`(?m)^leader$`)
	detaches = regexp.MustCompile(`(?m)^(detach|lost|leader)\b`)
	fills    = regexp.MustCompile(`(?m)busy\{(messages|bytes)\}|\[dropped\]|: dropped @|missed=|overflowed=|^parked |parked_dlq_full`)
)

// scriptPart is what a script does from one comment to the next.
type scriptPart struct {
	comment, text string
	before        string // text of the part before it
	repeats       bool   // an operation is answered as it was before
}

// answeredAt is the entry and position at which an operation was judged.
var answeredAt = regexp.MustCompile(`(?m)^[\w-]+: .*?(@\d+-\d+)`)

// signed tells whether a part of a script that has the words in its comment
// does what they are to show.
func signed(t *testing.T, script, words string, sign func(*scriptPart) bool) bool {
	text, err := os.ReadFile("testdata/" + script)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]bool{}
	var p scriptPart
	found := false
	end := func() { found = found || strings.Contains(p.comment, words) && sign(&p) }
	for block := range strings.SplitSeq(string(text), "\n\n") {
		comment := ""
		for line := range strings.Lines(block) {
			if c, ok := strings.CutPrefix(line, "#"); ok {
				comment += strings.TrimRight(c, "\n")
			}
		}
		if comment != "" {
			end()
			p = scriptPart{comment: comment, before: p.text}
		}
		p.text += block + "\n"
		for _, a := range answeredAt.FindAllStringSubmatch(block, -1) {
			p.repeats = p.repeats || answers[a[1]]
			answers[a[1]] = true
		}
	}
	end()
	return found
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
