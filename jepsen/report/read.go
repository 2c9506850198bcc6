package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Read reads the folder of a run back. Files that are damaged, truncated or
// hostile give an error, and take a bounded amount of memory.
func Read(dir string) (Data, error) {
	fsys := os.DirFS(dir)
	d, err := read(fsys, defaultLimits)
	if err != nil {
		return Data{}, fmt.Errorf("report %s: %w", dir, err)
	}
	names, err := logNames(fsys)
	if err != nil {
		return Data{}, fmt.Errorf("report %s: %w", dir, err)
	}
	for _, name := range names {
		if d.Logs == nil {
			d.Logs = map[string]string{}
		}
		d.Logs[name] = filepath.Join(dir, dirLogs, name)
	}
	return d, nil
}

func read(fsys fs.FS, l limits) (Data, error) {
	var h header
	if err := readJSON(fsys, fileRun, &h, l.run); err != nil {
		return Data{}, err
	}
	if h.Format != format {
		return Data{}, fmt.Errorf("%s has format %d, and this program reads %d", fileRun, h.Format, format)
	}
	if h.Run == nil {
		return Data{}, fmt.Errorf("%s holds no run", fileRun)
	}
	d := Data{Run: h.Run, Version: h.Version, Options: h.Options}
	if err := readJSON(fsys, fileVerdicts, &d.Verdicts, l.verdicts); err != nil {
		return Data{}, err
	}
	for _, v := range d.Verdicts {
		if v.Result != check.Valid && v.Result != check.Invalid && v.Result != check.Undecided {
			return Data{}, fmt.Errorf("%s: %q is no result", fileVerdicts, v.Result)
		}
	}
	var err error
	if d.Run.Ops, err = readLines[history.Op](fsys, fileOps, h.Operations, l, costOfOp); err != nil {
		return Data{}, err
	}
	for i, o := range d.Run.Ops {
		if o.Outcome > history.Unknown {
			return Data{}, fmt.Errorf("%s: record %d: %v is no outcome", fileOps, i, o.Outcome)
		}
	}
	if d.Run.Probes, err = readLines[history.Probe](fsys, fileProbes, h.Probes, l, costOfProbe); err != nil {
		return Data{}, err
	}
	d.Run.Log, err = readLines[history.Entry](fsys, fileLog, h.Entries, l, costOfEntry)
	return d, err
}

// readJSON reads a file that is one value, and nothing behind it.
func readJSON(fsys fs.FS, name string, v any, limit int64) (err error) {
	f, err := open(fsys, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(text)) > limit {
		return fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
