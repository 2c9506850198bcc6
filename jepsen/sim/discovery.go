package sim

import (
	"sync"

	"github.com/ferrymq/ferrymq/cluster"
)

// hub is the discovery of all hosts: what each says of itself.
type hub struct {
	mu    sync.Mutex
	metas map[string][]byte
}

// seat is one host's place at the hub.
type seat struct {
	hub  *hub
	host string
}

func (s seat) Members() (all []cluster.Found) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for _, meta := range s.hub.metas {
		all = append(all, cluster.Found{Meta: meta, Alive: true})
	}
	return all
}

func (s seat) Changed() <-chan struct{} { return nil }

func (s seat) UpdateMeta(meta []byte) error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.metas[s.host] = meta
	return nil
}
