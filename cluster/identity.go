package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
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
