//go:build linux

package ferryfs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// modelFile is a file as the model has it: what its users see, and what is
// durable. Both are lists of bytes; a sector of a torn file is of either. Its
// number tells it from others with the same bytes.
type modelFile struct {
	number        uint64
	live, durable []byte
}

// modelFolder is the names in a folder: as they are, and as they were after
// each change since the last fsync, the durable ones first.
type modelFolder struct {
	live  map[string]*modelFile
	since []map[string]*modelFile
}

func (m *modelFolder) changed() { m.since = append(m.since, clone(m.live)) }

func (m *modelFolder) synced() { m.since = []map[string]*modelFile{clone(m.live)} }

func clone(names map[string]*modelFile) map[string]*modelFile {
	c := map[string]*modelFile{}
	for k, v := range names {
		c[k] = v
	}
	return c
}

// model runs random calls on a mount and on itself.
type model struct {
	f       *FS
	folders map[string]*modelFolder
}

var modelFolders = []string{".", "d"}

// TestRandomCalls holds that after any calls and a power loss there is what
// must be there, and nothing that must not.
func TestRandomCalls(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "ferryfs")
		require.NoError(r, err)
		defer os.RemoveAll(dir)
		require.NoError(r, os.MkdirAll(filepath.Join(dir, "backing", "d"), 0o755))
		require.NoError(r, os.Mkdir(filepath.Join(dir, "mnt"), 0o755))
		f, err := Mount(Options{Backing: filepath.Join(dir, "backing"), Mountpoint: filepath.Join(dir, "mnt")})
		require.NoError(r, err)
		defer func() { require.NoError(r, f.Close()) }()
		m := &model{f: f, folders: map[string]*modelFolder{}}
		for _, name := range modelFolders {
			m.folders[name] = &modelFolder{live: map[string]*modelFile{}}
			m.folders[name].synced()
		}
		r.Repeat(map[string]func(*rapid.T){
			"write": m.write, "truncate": m.truncate, "sync": m.sync, "syncFolder": m.syncFolder,
			"create": m.create, "remove": m.remove, "rename": m.rename, "link": m.link,
			"loss": m.loss, "": m.agrees,
		})
		m.loss(r)
		require.Zero(r, f.Counters().Forced)
	})
}

func (m *model) folder(r *rapid.T) string { return rapid.SampledFrom(modelFolders).Draw(r, "folder") }

func (m *model) name(r *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "name")
}

// file draws one that exists, if there is any in the folder.
func (m *model) file(r *rapid.T) (folder, name string, file *modelFile) {
	folder = m.folder(r)
	var names []string
	for name := range m.folders[folder].live {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		r.Skip("no file")
	}
	name = rapid.SampledFrom(names).Draw(r, "file")
	return folder, name, m.folders[folder].live[name]
}

func (m *model) path(folder, name string) string { return m.f.at(filepath.Join(folder, name)) }

// number is what the backing says that a name means.
func (m *model) number(r *rapid.T, folder, name string) uint64 {
	info, err := os.Stat(filepath.Join(m.f.Backing(), folder, name))
	require.NoError(r, err)
	return info.Sys().(*syscall.Stat_t).Ino
}

func (m *model) create(r *rapid.T) {
	folder, name := m.folder(r), m.name(r)
	if m.folders[folder].live[name] != nil {
		r.Skip("exists")
	}
	file, err := os.OpenFile(m.path(folder, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	require.NoError(r, err)
	require.NoError(r, file.Close())
	m.folders[folder].live[name] = &modelFile{number: m.number(r, folder, name)}
	m.folders[folder].changed()
}

func (m *model) write(r *rapid.T) {
	folder, name, file := m.file(r)
	off := rapid.IntRange(0, 9000).Draw(r, "off")
	n := rapid.IntRange(1, 6000).Draw(r, "n")
	fill := rapid.Byte().Draw(r, "fill")
	data := slices.Repeat([]byte{fill}, n)
	h, err := os.OpenFile(m.path(folder, name), os.O_RDWR, 0)
	require.NoError(r, err)
	_, err = h.WriteAt(data, int64(off))
	require.NoError(r, err)
	require.NoError(r, h.Close())
	file.live = append(resized(file.live, max(off+n, len(file.live)))[:off:off],
		append(data, resized(file.live, max(off+n, len(file.live)))[off+n:]...)...)
}

func resized(b []byte, n int) []byte {
	c := make([]byte, n)
	copy(c, b)
	return c
}

func (m *model) truncate(r *rapid.T) {
	folder, name, file := m.file(r)
	n := rapid.IntRange(0, 12000).Draw(r, "size")
	require.NoError(r, os.Truncate(m.path(folder, name), int64(n)))
	file.live = resized(file.live, n)
}

func (m *model) sync(r *rapid.T) {
	folder, name, file := m.file(r)
	h, err := os.OpenFile(m.path(folder, name), os.O_RDWR, 0)
	require.NoError(r, err)
	require.NoError(r, h.Sync())
	require.NoError(r, h.Close())
	file.durable = file.live
}

func (m *model) syncFolder(r *rapid.T) {
	folder := m.folder(r)
	require.NoError(r, trySyncFolder(m.f, folder))
	m.folders[folder].synced()
}

func (m *model) remove(r *rapid.T) {
	folder, name, _ := m.file(r)
	require.NoError(r, os.Remove(m.path(folder, name)))
	delete(m.folders[folder].live, name)
	m.folders[folder].changed()
}

func (m *model) rename(r *rapid.T) {
	from, name, file := m.file(r)
	to, newName := m.folder(r), m.name(r)
	require.NoError(r, os.Rename(m.path(from, name), m.path(to, newName)))
	if m.folders[to].live[newName] == file {
		return // of two names of one file nothing becomes of a rename
	}
	m.folders[to].live[newName] = file
	delete(m.folders[from].live, name)
	m.folders[from].changed()
	if from != to {
		m.folders[to].changed()
	}
}

func (m *model) link(r *rapid.T) {
	from, name, file := m.file(r)
	to, newName := m.folder(r), m.name(r)
	if m.folders[to].live[newName] != nil {
		r.Skip("exists")
	}
	require.NoError(r, os.Link(m.path(from, name), m.path(to, newName)))
	m.folders[to].live[newName] = file
	m.folders[to].changed()
}

// agrees compares what users see.
func (m *model) agrees(r *rapid.T) {
	want := map[string]string{"d/": ""}
	for dir, folder := range m.folders {
		for name, file := range folder.live {
			want[filepath.Join(dir, name)] = string(file.live)
		}
	}
	require.Equal(r, want, tree(r, m.f.Mountpoint()))
}

// loss cuts the power, looks whether that left what it may, and takes it from
// there.
func (m *model) loss(r *rapid.T) {
	torn := rapid.Bool().Draw(r, "torn")
	_, err := m.f.PowerLoss(Loss{Torn: torn, Seed: rapid.Uint64().Draw(r, "seed")})
	require.NoError(r, err)
	m.f.PowerOn()
	left := tree(r, m.f.Mountpoint())
	require.Equal(r, left, tree(r, m.f.Backing()))
	for _, dir := range modelFolders {
		m.folders[dir].live = m.survivor(r, dir, left, torn)
	}
	for _, dir := range modelFolders {
		for name, file := range m.folders[dir].live {
			file.live = []byte(left[filepath.Join(dir, name)])
			file.durable = file.live
		}
		m.folders[dir].synced()
	}
	require.Zero(r, m.f.Counters().UnsyncedBytes+m.f.Counters().UnsyncedNames)
}

// survivor finds the state of a folder that a loss may have left, with files
// that may be what they are.
func (m *model) survivor(r *rapid.T, dir string, left map[string]string, torn bool) map[string]*modelFile {
	here := map[string]string{}
	for path, text := range left {
		if filepath.Dir(path) == dir && path != "d/" {
			here[filepath.Base(path)] = text
		}
	}
	candidates := m.folders[dir].since
	if !torn {
		candidates = candidates[:1]
	}
	why := ""
	for i, names := range candidates {
		if why = m.mayBe(r, dir, names, here, torn); why == "" {
			return names
		}
		r.Logf("%s as of change %d: %s", dir, i, why)
	}
	require.Fail(r, "the loss left what it may not", "%s: %s", dir, why)
	return nil
}

func (m *model) mayBe(r *rapid.T, dir string, names map[string]*modelFile, here map[string]string, torn bool) string {
	if len(names) != len(here) {
		return fmt.Sprintf("%d names instead of %d", len(here), len(names))
	}
	for name, file := range names {
		text, ok := here[name]
		if !ok {
			return name + " is gone"
		}
		if m.number(r, dir, name) != file.number {
			return name + " is another file"
		}
		if !torn && text != string(file.durable) {
			return name + " is not what was durable"
		}
		if why := tornFrom(file, text); why != "" {
			return name + ": " + why
		}
	}
	return ""
}

// tornFrom tells whether each sector is the old one or the new one. What was
// cut off is back as it was if the old size is.
func tornFrom(file *modelFile, text string) string {
	if len(text) != len(file.live) && len(text) != len(file.durable) {
		return fmt.Sprintf("%d bytes are neither the old size (%d) nor the new (%d)", len(text), len(file.durable), len(file.live))
	}
	live, durable := resized(file.live, len(text)), resized(file.durable, len(text))
	for off := 0; off < len(text); off += sectorBytes {
		end := min(off+sectorBytes, len(text))
		is := text[off:end]
		cutOff := off >= len(file.live)
		if (cutOff || is != string(live[off:end])) && is != string(durable[off:end]) {
			return fmt.Sprintf("the sector at %d is neither old nor new", off)
		}
	}
	return ""
}
