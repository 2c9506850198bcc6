package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// small limits let a fuzzer reach them.
var smallLimits = limits{line: 64 << 10, memory: 4 << 20, run: 64 << 10, verdicts: 64 << 10}

// folder is a small report in memory.
func folder(t testing.TB) fstest.MapFS {
	dir, d := t.TempDir(), synthetic(1, 30)
	d.Run.Probes, d.Run.Log, d.Verdicts = d.Run.Probes[:9], d.Run.Log[:4], d.Verdicts[6:9]
	require.NoError(t, Write(dir, d))
	files := fstest.MapFS{}
	for _, name := range []string{fileRun, fileOps, fileProbes, fileLog, fileVerdicts} {
		text, err := os.ReadFile(dir + "/" + name)
		require.NoError(t, err)
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}

func zip(t testing.TB, text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func unzip(t testing.TB, data []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = b.ReadFrom(z)
	require.NoError(t, err)
	return b.Bytes()
}

// FuzzRead puts bytes in the place of one file: reading gives an error, or
// something from which a page of bounded size can be drawn.
func FuzzRead(f *testing.F) {
	whole := folder(f)
	names := []string{fileRun, fileOps, fileProbes, fileLog, fileVerdicts}
	for i, name := range names {
		data := whole[name].Data
		f.Add(uint8(i), false, data)
		f.Add(uint8(i), false, data[:len(data)/2])
		if strings.HasSuffix(name, ".gz") {
			f.Add(uint8(i), true, unzip(f, data))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, compress bool, data []byte) {
		if compress {
			data = zip(t, data)
		}
		files := fstest.MapFS{}
		for name, file := range whole {
			files[name] = file
		}
		files[names[int(which)%len(names)]] = &fstest.MapFile{Data: data}
		d, err := read(files, smallLimits)
		if err != nil {
			return
		}
		page, err := json.Marshal(pageOf(d, nil)) // much faster than the template
		require.NoError(t, err)
		require.Less(t, len(page), pageBytesMax)
	})
}

// pageBytesMax is what no page exceeds, whatever it is drawn from.
const pageBytesMax = 2 << 20

func TestDamagedFolders(t *testing.T) {
	whole := folder(t)
	ops := unzip(t, whole[fileOps].Data)
	lines := bytes.SplitAfter(ops, []byte("\n"))
	entry := func(text string) []byte { return zip(t, []byte(text+"\n")) }
	for name, c := range map[string]struct {
		file string
		data []byte
		want string
	}{
		"cut in the middle":   {fileOps, whole[fileOps].Data[:len(whole[fileOps].Data)/2], "unexpected EOF"},
		"last record missing": {fileOps, zip(t, bytes.Join(lines[:len(lines)-2], nil)), "records of"},
		"a record too many":   {fileOps, zip(t, append(bytes.Clone(ops), lines[0]...)), "more than the"},
		"no gzip":             {fileOps, ops, "invalid header"},
		"no JSON":             {fileOps, entry("{"), "record 0"},
		"no outcome":          {fileOps, zip(t, bytes.Replace(ops, []byte(`"o":1`), []byte(`"o":9`), 1)), "no outcome"},
		"an endless line":     {fileProbes, zip(t, bytes.Repeat([]byte(" "), 1<<20)), "too long"},
		"a bomb":              {fileProbes, zip(t, bytes.Repeat([]byte("{}\n"), 1<<20)), "more than"},
		"a list of nothings":  {fileLog, entry(`{"commands":[` + strings.Repeat("{},", 20_000) + `{}]}`), "bytes of memory"},
		"no run":              {fileRun, []byte(`{"format":1}`), "no run"},
		"a later format":      {fileRun, []byte(`{"format":2}`), "format 2"},
		"run.json too large":  {fileRun, bytes.Repeat([]byte(" "), 65<<10), "more than"},
		"no result":           {fileVerdicts, []byte(`[{"result":"fine"}]`), "no result"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, file := range whole {
				files[name] = file
			}
			files[c.file] = &fstest.MapFile{Data: c.data}
			_, err := read(files, smallLimits)
			require.ErrorContains(t, err, c.want)
			delete(files, c.file)
			_, err = read(files, smallLimits)
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
	d, err := read(whole, smallLimits)
	require.NoError(t, err, fmt.Sprint("what was not damaged is read: ", len(d.Run.Ops)))
}
