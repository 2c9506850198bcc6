package store

import (
	"time"

	"github.com/hashicorp/raft"
)

// termHold is how long a term that could not be written keeps raft waiting.
// Raft panics at such an error; the owner, told of the failure before, gets
// the time to end the process in its own way.
const termHold = 5 * time.Second

// hooks lets this package's tests stand between the wrappers and the disk.
type hooks struct {
	syncDir    func(dir string) error
	wrapLog    func(raft.LogStore) raft.LogStore
	wrapStable func(raft.StableStore) raft.StableStore
	termHold   time.Duration
}

func (h hooks) withDefaults() hooks {
	if h.syncDir == nil {
		h.syncDir = syncDir
	}
	if h.wrapLog == nil {
		h.wrapLog = func(l raft.LogStore) raft.LogStore { return l }
	}
	if h.wrapStable == nil {
		h.wrapStable = func(s raft.StableStore) raft.StableStore { return s }
	}
	if h.termHold == 0 {
		h.termHold = termHold
	}
	return h
}
