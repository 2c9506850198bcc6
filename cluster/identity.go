package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Identity is what a data folder remembers of its node.
type Identity struct {
	Name      string
	ServerID  string   // Raft's name of the node: new with every data folder and every rebuild
	ClusterID [16]byte // zero until the node belongs to a cluster; never changes after
	Removed   bool     // a person removed it: the folder is never used again
	Rebuild   string   // not empty: why the replicas must be wiped at the next start
	Founding  string   // not empty: a cluster that this node is forming
	Stored    string   // the groups that have stores under this server id, by number: "0 7"
	Diverged  int      // how often a replica was rebuilt because its state differed
}

// HasStores tells whether the server had stores of a group before. If they are
// gone it has forgotten what it promised; empty ones would be taken for those
// of a new server.
func (id Identity) HasStores(group uint32) bool {
	return slices.Contains(strings.Fields(id.Stored), strconv.FormatUint(uint64(group), 10))
}

// storesOf is what Stored says of the groups.
func storesOf(groups []uint32) string {
	var b strings.Builder
	for _, group := range slices.Sorted(slices.Values(groups)) {
		fmt.Fprintf(&b, " %d", group)
	}
	return strings.TrimPrefix(b.String(), " ")
}

// Meta keeps the Identity. Save must be durable when it returns.
type Meta interface {
	// Load returns false if there is none yet.
	Load() (Identity, bool, error)
	Save(Identity) error
}

// newServerID makes "<name>-<8 hexadecimal digits>".
func newServerID(name string) string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return name + "-" + hex.EncodeToString(b[:])
}

func newClusterID() (id [16]byte) {
	rand.Read(id[:]) // never fails
	return id
}

// FileMeta keeps the Identity in a JSON file.
type FileMeta struct{ Path string }

// identityFile is Identity with a readable cluster id.
type identityFile struct {
	Name      string `json:"name"`
	ServerID  string `json:"server_id"`
	ClusterID string `json:"cluster_id,omitempty"`
	Removed   bool   `json:"removed,omitempty"`
	Rebuild   string `json:"rebuild,omitempty"`
	Founding  string `json:"founding,omitempty"`
	Stored    string `json:"stored,omitempty"`
	Diverged  int    `json:"diverged,omitempty"`
}

// Load implements Meta.
func (m FileMeta) Load() (Identity, bool, error) {
	b, err := os.ReadFile(m.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, err
	}
	var f identityFile
	if err := json.Unmarshal(b, &f); err != nil {
		return Identity{}, false, fmt.Errorf("%s: %w", m.Path, err)
	}
	id := Identity{Name: f.Name, ServerID: f.ServerID, Removed: f.Removed, Rebuild: f.Rebuild, Founding: f.Founding, Stored: f.Stored, Diverged: f.Diverged}
	if n, err := hex.Decode(id.ClusterID[:], []byte(f.ClusterID)); err != nil || n != 0 && n != len(id.ClusterID) {
		return Identity{}, false, fmt.Errorf("%s: cluster_id %q is not 32 hexadecimal digits", m.Path, f.ClusterID)
	}
	return id, true, nil
}

// Save implements Meta: a new file, fsynced, takes the old one's place.
func (m FileMeta) Save(id Identity) error {
	f := identityFile{Name: id.Name, ServerID: id.ServerID, Removed: id.Removed, Rebuild: id.Rebuild, Founding: id.Founding, Stored: id.Stored, Diverged: id.Diverged}
	if id.ClusterID != [16]byte{} {
		f.ClusterID = hex.EncodeToString(id.ClusterID[:])
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	temp := m.Path + ".new"
	if err := writeSynced(temp, append(b, '\n')); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, m.Path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(m.Path))
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

// MemoryMeta keeps the Identity in memory, for tests and simulations.
type MemoryMeta struct {
	mu   sync.Mutex
	id   Identity
	some bool
}

// Load implements Meta.
func (m *MemoryMeta) Load() (Identity, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.id, m.some, nil
}

// Save implements Meta.
func (m *MemoryMeta) Save(id Identity) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id, m.some = id, true
	return nil
}
