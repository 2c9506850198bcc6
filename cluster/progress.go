package cluster

import (
	"context"
	"sync"
)

// progress is an index that only rises, and that one can wait for. The zero
// value is ready.
type progress struct {
	mu     sync.Mutex
	index  uint64
	moved  chan struct{} // while somebody waits: closed when index rises
	closed bool
}

func (p *progress) reach(index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if index <= p.index {
		return
	}
	p.index = index
	p.wake()
}

func (p *progress) wake() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

func (p *progress) at() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.index
}

// close ends every wait.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.wake()
}

// wait returns when the index is reached.
func (p *progress) wait(ctx context.Context, index uint64) error {
	for {
		moved, done, err := p.watch(index)
		if done || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *progress) watch(index uint64) (moved <-chan struct{}, done bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.index >= index:
		return nil, true, nil
	case p.closed:
		return nil, false, ErrClosed
	}
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	return p.moved, false, nil
}
