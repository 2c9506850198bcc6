package cluster

import "sync"

// MemoryDiscovery is the discovery of nodes in one process, for tests and
// simulations: whoever said something of itself is there, for ever.
type MemoryDiscovery struct {
	mu    sync.Mutex
	metas map[string][]byte // by node
}

// Of is the discovery as a node has it.
func (d *MemoryDiscovery) Of(node string) Discovery { return memorySeat{d, node} }

type memorySeat struct {
	all  *MemoryDiscovery
	node string
}

func (s memorySeat) Members() (found []Found) {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	for _, meta := range s.all.metas {
		found = append(found, Found{Meta: meta, Alive: true})
	}
	return found
}

func (s memorySeat) Changed() <-chan struct{} { return nil }

func (s memorySeat) UpdateMeta(meta []byte) error {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.all.metas == nil {
		s.all.metas = make(map[string][]byte)
	}
	s.all.metas[s.node] = meta
	return nil
}
