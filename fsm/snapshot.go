package fsm

import (
	"crypto/sha256"
	"io"

	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/body"
)

// Snapshot is the state between two entries, pinned. It may be written by
// another goroutine while the state goes on. What it pins costs memory only
// as far as the state changes meanwhile.
type Snapshot struct {
	head      snapshotHead
	topics    *btree.Map[uint64, *topic]
	queues    *btree.Map[uint64, *queue]
	sessions  *btree.Map[uint64, *session]
	consumers *btree.Map[uint64, *consumer]
	junk      *btree.Map[uint64, *junk]
	requests  *btree.Map[uint64, *asked]
	bodies    *body.View
}

// snapshotHead is what a state has one of.
type snapshotHead struct {
	group        uint32
	version      Version
	index        uint64
	clock        Clock
	digest       [32]byte
	tokens       uint64
	incarnations uint64
	serials      uint64
}

// Snapshot pins the state as it is, in constant time. The first change of a
// queue, session or consumer afterwards copies its head and open tail.
func (s *State) Snapshot() *Snapshot {
	s.gen++
	return &Snapshot{
		head: snapshotHead{group: s.group, version: s.version, index: s.index, clock: s.clock, digest: s.digest,
			tokens: s.tokens, incarnations: s.incarnations, serials: s.serials},
		topics: s.topics.Copy(), queues: s.queues.Copy(), sessions: s.sessions.Copy(), consumers: s.consumers.Copy(),
		junk: s.junk.Copy(), requests: s.requests.all.Copy(), bodies: s.bodies.View(),
	}
}

// Index of the last entry in it.
func (p *Snapshot) Index() uint64 { return p.head.index }

// Digest is the running digest in it.
func (p *Snapshot) Digest() [32]byte { return p.head.digest }

// Release lets go of what is pinned. The snapshot must not be used any more.
func (p *Snapshot) Release() { *p = Snapshot{head: p.head} }

// WriteTo writes the snapshot, with memory bounded by its largest item.
func (p *Snapshot) WriteTo(w io.Writer) (int64, error) {
	f := newFrameWriter(w)
	p.write(f)
	return f.n, f.err
}

// Hash is SHA-256 over the bytes that WriteTo writes. They are canonical:
// equal states have equal bytes, however they came about.
func (p *Snapshot) Hash() (sum [32]byte) {
	h := sha256.New()
	f := newFrameWriter(h) // a hash takes everything
	p.write(f)
	h.Sum(sum[:0])
	return sum
}

// Hash of the whole state, which it walks.
func (s *State) Hash() [32]byte {
	p := s.Snapshot()
	defer p.Release()
	return p.Hash()
}
