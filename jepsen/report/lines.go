package report

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unsafe"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// writeLines writes one record a line, compressed for speed.
func writeLines[T any](path string, records []T) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := encodeLines(z, records); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return z.Close()
}

// batchBytes is how much is encoded before it is handed on.
const batchBytes = 64 << 10

func encodeLines[T any](w io.Writer, records []T) error {
	var batch bytes.Buffer
	enc := json.NewEncoder(&batch)
	enc.SetEscapeHTML(false)
	for i := range records {
		before := batch.Len()
		if err := enc.Encode(&records[i]); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if n := batch.Len() - before; n > defaultLimits.line {
			return fmt.Errorf("record %d has %d bytes, and %d is the limit", i, n, defaultLimits.line)
		}
		if batch.Len() >= batchBytes {
			if _, err := batch.WriteTo(w); err != nil {
				return err
			}
		}
	}
	_, err := batch.WriteTo(w)
	return err
}

// readLines reads what writeLines wrote, and exactly want records. The cost of
// a line is what its record takes in memory, at most, told before it is decoded.
func readLines[T any](fsys fs.FS, name string, want int, l limits, cost func(line []byte) int64) (records []T, err error) {
	f, err := open(fsys, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	records, err = decodeLines[T](z, want, l, cost)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return records, nil
}

func decodeLines[T any](r io.Reader, want int, l limits, cost func([]byte) int64) ([]T, error) {
	var records []T
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, min(batchBytes, l.line)), l.line)
	memory := int64(0)
	for lines.Scan() {
		if len(records) >= want {
			return nil, fmt.Errorf("more than the %d records that there were", want)
		}
		if memory += cost(lines.Bytes()); memory > l.memory {
			return nil, fmt.Errorf("record %d: more than %d bytes of memory", len(records), l.memory)
		}
		var record T
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records), errors.Join(err, lines.Err()))
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("after %d records: %w", len(records), err)
	}
	if len(records) != want {
		return nil, fmt.Errorf("%d records of %d", len(records), want)
	}
	return records, nil
}

// open opens a regular file; anything else might never answer.
func open(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return fsys.Open(name)
}

func costOfOp(line []byte) int64 {
	return int64(len(line)) + int64(unsafe.Sizeof(history.Op{})+unsafe.Sizeof(history.Queue{}))
}

func costOfProbe(line []byte) int64 {
	return int64(len(line)) + int64(unsafe.Sizeof(history.Probe{}))
}

// costOfEntry allows for lists within lists: no element is written in less
// than a comma or a brace, and a list that grows is up to twice as large.
func costOfEntry(line []byte) int64 {
	structs, values := bytes.Count(line, []byte{'{'}), bytes.Count(line, []byte{','})
	return int64(len(line)) + int64(unsafe.Sizeof(history.Entry{})) +
		2*int64(structs)*int64(unsafe.Sizeof(history.Command{})) + 2*int64(values)*int64(unsafe.Sizeof(""))
}
