package store

import "github.com/hashicorp/raft"

// hooks lets this package's tests stand between the wrappers and the disk.
type hooks struct {
	syncDir    func(dir string) error
	wrapLog    func(raft.LogStore) raft.LogStore
	wrapStable func(raft.StableStore) raft.StableStore
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
	return h
}
