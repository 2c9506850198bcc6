package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ferrymq/ferrymq/jepsen/check"
)

// Write makes the folder of a run, with its page. What an earlier run left in
// the same folder is replaced.
func Write(dir string, d Data) error {
	if d.Run == nil {
		return errors.New("report without a run")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, fileRun)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeRecords(dir, d); err != nil {
		return err
	}
	if err := keepLogs(dir, d.Logs); err != nil {
		return err
	}
	h := header{
		Format: format, Version: d.Version, Options: d.Options, Run: d.Run,
		Operations: len(d.Run.Ops), Probes: len(d.Run.Probes), Entries: len(d.Run.Log),
	}
	if err := writeJSON(dir, fileRun, h, defaultLimits.run); err != nil {
		return err
	}
	return Redraw(dir, d)
}

// Redraw writes the verdicts and the page anew, and leaves what was recorded:
// for a folder that was read and judged again.
func Redraw(dir string, d Data) error {
	if d.Run == nil {
		return errors.New("report without a run")
	}
	verdicts, err := writePictures(dir, d.Verdicts)
	if err != nil {
		return err
	}
	if err := writeJSON(dir, fileVerdicts, verdicts, defaultLimits.verdicts); err != nil {
		return err
	}
	d.Verdicts = verdicts
	names, err := logNames(os.DirFS(dir))
	if err != nil {
		return err
	}
	return drawPage(filepath.Join(dir, filePage), d, names)
}

func writeRecords(dir string, d Data) error {
	return errors.Join(
		writeLines(filepath.Join(dir, fileOps), d.Run.Ops),
		writeLines(filepath.Join(dir, fileProbes), d.Run.Probes),
		writeLines(filepath.Join(dir, fileLog), d.Run.Log),
		writeFaults(filepath.Join(dir, fileFaults), d),
	)
}

func writeFaults(path string, d Data) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return encodeLines(f, d.Run.Faults)
}

func writeJSON(dir, name string, v any, limit int64) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	text = append(text, '\n')
	if int64(len(text)) > limit {
		return fmt.Errorf("write %s: %d bytes, and %d is the limit", name, len(text), limit)
	}
	return os.WriteFile(filepath.Join(dir, name), text, 0o644)
}

// pictureBytesMax is the largest picture that is kept, and picturesMax how many.
const (
	pictureBytesMax = 2 << 20
	picturesMax     = 16
)

func pictureName(verdict int) string { return fmt.Sprintf("%s/%03d.html", dirPictures, verdict) }

// writePictures keeps the pictures beside the page, which links them. It
// returns the verdicts without the pictures for which there is no room.
func writePictures(dir string, verdicts []check.Verdict) ([]check.Verdict, error) {
	if err := os.RemoveAll(filepath.Join(dir, dirPictures)); err != nil {
		return nil, err
	}
	kept, out := 0, make([]check.Verdict, len(verdicts))
	for i, v := range verdicts {
		if len(v.Picture) > pictureBytesMax || kept == picturesMax {
			v.Picture = ""
		}
		out[i] = v
		if v.Picture == "" {
			continue
		}
		kept++
		if err := os.MkdirAll(filepath.Join(dir, dirPictures), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, pictureName(i)), []byte(v.Picture), 0o644); err != nil {
			return nil, err
		}
	}
	return out, nil
}
