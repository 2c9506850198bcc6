package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// logBytesMax is how much of the end of a log is kept.
	logBytesMax = 64 << 20
	// logsMax is how many logs the page links.
	logsMax = 64
)

// keepLogs copies the logs into the folder. Those that are there already stay.
func keepLogs(dir string, logs map[string]string) error {
	if len(logs) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, dirLogs), 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		if name == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("%q is no name for a log", name)
		}
		if err := keepLog(filepath.Join(dir, dirLogs, name), logs[name]); err != nil {
			return fmt.Errorf("keep log %s: %w", name, err)
		}
	}
	return nil
}

func keepLog(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(to); err == nil && os.SameFile(there, info) {
		return nil
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if left := info.Size() - logBytesMax; left > 0 {
		if _, err := fmt.Fprintf(out, "[the first %d bytes are left out]\n", left); err != nil {
			return err
		}
		if _, err := in.Seek(left, io.SeekStart); err != nil {
			return err
		}
	}
	_, err = io.Copy(out, io.LimitReader(in, logBytesMax))
	return err
}

// logNames are the logs of a folder.
func logNames(fsys fs.FS) ([]string, error) {
	files, err := fs.ReadDir(fsys, dirLogs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if f.Type().IsRegular() && len(names) < logsMax {
			names = append(names, f.Name())
		}
	}
	return names, nil
}
