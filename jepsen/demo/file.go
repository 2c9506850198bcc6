package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// file is what is published: every line begins with its number, from 0.
type file struct {
	path  string
	lines [][]byte
	bytes int
}

// makeFile writes source files of the Go standard library one after another,
// until there are enough lines, and reads the file back.
func makeFile(ctx context.Context, dir string, enough int) (*file, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("ask for the Go sources: %w", err)
	}
	var text bytes.Buffer
	count := 0
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case count >= enough:
			return fs.SkipAll
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		n, err := number(&text, path, count)
		count += n
		return err
	})
	if err != nil {
		return nil, err
	}
	if count < enough {
		return nil, fmt.Errorf("the Go sources have only %d lines", count)
	}
	f := &file{path: filepath.Join(dir, "lines.txt"), bytes: text.Len()}
	if err := os.WriteFile(f.path, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	return f, f.read()
}

// number appends the lines of a source file with their numbers.
func number(text *bytes.Buffer, path string, from int) (n int, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(source)) {
		fmt.Fprintf(text, "%d\t%s\n", from+n, strings.TrimRight(line, "\r\n"))
		n++
	}
	return n, nil
}

// read takes the lines from the disk: what is published is what is there.
func (f *file) read() error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		f.lines = append(f.lines, bytes.Clone(scanner.Bytes()))
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return r.Close()
}

// lineOf tells which line of the file a body is, and whether it is unchanged.
func (f *file) lineOf(body []byte) (int, error) {
	digits, _, _ := bytes.Cut(body, []byte{'\t'})
	n, err := strconv.Atoi(string(digits))
	if err != nil || n < 0 || n >= len(f.lines) {
		return 0, fmt.Errorf("a message that is no line of the file: %.60q", body)
	}
	if !bytes.Equal(body, f.lines[n]) {
		return 0, fmt.Errorf("line %d arrived changed: %.60q", n, body)
	}
	return n, nil
}
