package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is a patch and what its header says.
type mutant struct {
	number, name string
	path         string
	bug          string
	caughtBy     []string // the command's words
	expect       []string // kinds of problems, or names of tests
}

func (m mutant) String() string { return m.number + " " + m.name }

var fileName = regexp.MustCompile(`^(\d\d)-([a-z0-9-]+)\.patch$`)

// load reads every patch of a folder, by number.
func load(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, err
	}
	var list []mutant
	numbers := map[string]bool{}
	for _, path := range files {
		m, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		if numbers[m.number] {
			return nil, fmt.Errorf("%s: number %s is taken", filepath.Base(path), m.number)
		}
		numbers[m.number] = true
		list = append(list, m)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no patches in %s", dir)
	}
	return list, nil
}

func read(path string) (mutant, error) {
	match := fileName.FindStringSubmatch(filepath.Base(path))
	if match == nil {
		return mutant{}, errors.New("a patch is called NN-name.patch")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return mutant{}, err
	}
	fields, err := header(string(b))
	if err != nil {
		return mutant{}, err
	}
	m := mutant{
		number: match[1], name: match[2], path: path,
		bug: fields["Bug"], caughtBy: strings.Fields(fields["Caught-by"]),
	}
	for kind := range strings.SplitSeq(fields["Expect"], ",") {
		m.expect = append(m.expect, strings.TrimSpace(kind))
	}
	return m, m.validate()
}

// header reads the fields before the diff. A line that begins with a blank
// goes on with the one before.
func header(text string) (map[string]string, error) {
	fields := map[string]string{}
	last := ""
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		name, value, found := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, "diff --git "):
			return fields, nil
		case line == "":
		case strings.HasPrefix(line, " ") && last != "":
			fields[last] += " " + strings.TrimSpace(line)
		case !found || !slices.Contains([]string{"Bug", "Caught-by", "Expect"}, name):
			return nil, fmt.Errorf("%q is no field of the header", line)
		case fields[name] != "":
			return nil, fmt.Errorf("field %s is there twice", name)
		default:
			fields[name], last = strings.TrimSpace(value), name
		}
	}
	return nil, errors.Join(errors.New("there is no diff"), lines.Err())
}

var (
	kindName = regexp.MustCompile(`^[a-z_]+$`)
	testName = regexp.MustCompile(`^Test\w*(/\S+)?$`)
)

func (m mutant) validate() error {
	var wrong []error
	if m.bug == "" {
		wrong = append(wrong, errors.New("the header has no Bug"))
	}
	name, what := kindName, "kind of problem"
	switch words := m.caughtBy; {
	case len(words) == 0:
		wrong = append(wrong, errors.New("the header has no Caught-by"))
	case len(words) > 2 && words[0] == "go" && words[1] == "test":
		name, what = testName, "test"
	case words[0] != "ferry":
		wrong = append(wrong, fmt.Errorf("it is to be caught by %q, which is neither ferry nor go test", strings.Join(words, " ")))
	}
	for _, kind := range m.expect {
		if !name.MatchString(kind) {
			wrong = append(wrong, fmt.Errorf("it expects %q, which is no %s", kind, what))
		}
	}
	return errors.Join(wrong...)
}

// pick takes those with these numbers, or those that Go tests are to catch.
func pick(list []mutant, only []string, tests bool) ([]mutant, error) {
	if tests {
		list = slices.DeleteFunc(list, func(m mutant) bool { return !m.byTest() })
	}
	if len(only) == 0 {
		return list, nil
	}
	var picked []mutant
	for _, number := range only {
		i := slices.IndexFunc(list, func(m mutant) bool { return m.number == number })
		if i < 0 {
			return nil, fmt.Errorf("there is no mutant %s", number)
		}
		picked = append(picked, list[i])
	}
	return picked, nil
}
