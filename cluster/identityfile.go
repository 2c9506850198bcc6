package cluster

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// FileMeta keeps the Identity in two JSON files, Path and its copy, each with
// a checksum: a node whose identity has rotten could not start, or would take
// itself for another server.
type FileMeta struct{ Path string }

// copySuffix is added to Path for the copy.
const copySuffix = ".copy"

// ErrIdentity says that neither file of the identity can be believed.
var ErrIdentity = errors.New("the node's identity is corrupt")

// identityFile is Identity with a readable cluster id, sealed.
type identityFile struct {
	Name      string `json:"name"`
	ServerID  string `json:"server_id"`
	ClusterID string `json:"cluster_id,omitempty"`
	Removed   bool   `json:"removed,omitempty"`
	Rebuild   string `json:"rebuild,omitempty"`
	Founding  string `json:"founding,omitempty"`
	Stored    string `json:"stored,omitempty"`
	Diverged  int    `json:"diverged,omitempty"`
	Revision  uint64 `json:"revision"` // rises with every Save: which of two files is newer
	Checksum  string `json:"checksum"` // CRC32C of all the above as compact JSON, Checksum empty
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (f identityFile) sum() (string, error) {
	f.Checksum = ""
	b, err := json.Marshal(f)
	return fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli)), err
}

// Load implements Meta. What is wrong with one file is made good by the other.
func (m FileMeta) Load() (Identity, bool, error) {
	f, some, err := m.load()
	if err != nil || !some {
		return Identity{}, false, err
	}
	id := Identity{Name: f.Name, ServerID: f.ServerID, Removed: f.Removed, Rebuild: f.Rebuild, Founding: f.Founding, Stored: f.Stored, Diverged: f.Diverged}
	if n, err := hex.Decode(id.ClusterID[:], []byte(f.ClusterID)); err != nil || n != 0 && n != len(id.ClusterID) {
		return Identity{}, false, fmt.Errorf("%s: cluster_id %q is not 32 hexadecimal digits", m.Path, f.ClusterID)
	}
	return id, true, nil
}

// paths of the two files.
func (m FileMeta) paths() [2]string { return [2]string{m.Path, m.Path + copySuffix} }

// load gives the newer of the files that can be believed, and mends the other:
// what has rotted once may rot again.
func (m FileMeta) load() (newest identityFile, some bool, err error) {
	var bad []error
	var texts [2][]byte
	for i, path := range m.paths() {
		var f identityFile
		f, texts[i], err = readIdentity(path)
		switch {
		case errors.Is(err, ErrIdentity):
			bad = append(bad, err)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return newest, false, err // it may be there and well another time
		case !some || f.Revision > newest.Revision:
			newest, some = f, true
		}
	}
	if !some {
		return newest, false, errors.Join(bad...)
	}
	text, err := newest.text()
	if err != nil {
		return newest, false, err
	}
	for i, path := range m.paths() {
		if !bytes.Equal(texts[i], text) {
			if err := replaceFile(path, text); err != nil {
				return newest, false, err
			}
		}
	}
	return newest, true, nil
}

func readIdentity(path string) (f identityFile, text []byte, err error) {
	if text, err = os.ReadFile(path); err != nil {
		return f, text, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, text, fmt.Errorf("%w: %s: %w", ErrIdentity, path, err)
	}
	sum, err := f.sum()
	if err == nil && sum != f.Checksum {
		err = fmt.Errorf("%w: %s: its checksum is %q, not %s", ErrIdentity, path, f.Checksum, sum)
	}
	return f, text, err
}

// Save implements Meta: in turn, a new file, fsynced, takes the place of each
// old one. The other is whole meanwhile.
func (m FileMeta) Save(id Identity) error {
	old, _, err := m.load()
	if err != nil && !errors.Is(err, ErrIdentity) {
		return err
	}
	f := identityFile{Name: id.Name, ServerID: id.ServerID, Removed: id.Removed, Rebuild: id.Rebuild, Founding: id.Founding, Stored: id.Stored, Diverged: id.Diverged, Revision: old.Revision + 1}
	if id.ClusterID != [16]byte{} {
		f.ClusterID = hex.EncodeToString(id.ClusterID[:])
	}
	if f.Checksum, err = f.sum(); err != nil {
		return err
	}
	text, err := f.text()
	if err != nil {
		return err
	}
	for _, path := range m.paths() {
		if err := replaceFile(path, text); err != nil {
			return err
		}
	}
	return nil
}

// text is what a file holds.
func (f identityFile) text() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", "  ")
	return append(b, '\n'), err
}

// replaceFile is durable when it returns.
func replaceFile(path string, b []byte) error {
	temp := path + ".new"
	if err := writeSynced(temp, b); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
