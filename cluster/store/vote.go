package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"
)

// The keys that raft uses for its term and vote.
const (
	keyTerm     = "CurrentTerm"
	keyVoteTerm = "LastVoteTerm"
	keyVoteCand = "LastVoteCand"
)

// keyVote is the one key under which all three are kept:
//
//	| version u8 | term u64 | vote term u64 | candidate length u16 | candidate | CRC32C u32 |
var keyVote = []byte("FerryVote")

const (
	voteVersion  = 1
	voteHead     = 1 + 8 + 8 + 2
	candidateMax = 1024
)

type voteRecord struct {
	term, voteTerm uint64
	cand           []byte
}

// voteStore keeps term and vote as one record. Raft writes a vote as
// SetUint64(LastVoteTerm) and then Set(LastVoteCand). In two transactions a
// crash in between leaves the new term with the old candidate, and the replica
// either votes twice or for somebody it never chose. So the first call only
// holds the term in memory, where no reader sees it; the second writes both.
// Raft grants a vote only after the second call has returned nil. If the
// process dies in between, the vote never happened.
type voteStore struct {
	next   raft.StableStore
	poison *poison

	// beforeVote runs before a vote is written and can refuse it.
	beforeVote func() error
	// promised is told every durable term and vote.
	promised func(term, voteTerm uint64)
	termHold time.Duration

	// turn is a lock that a goroutine waits for on a channel, because it is
	// held while the disk writes.
	turn chan struct{}
	rec  voteRecord
	held *uint64
}

func newVoteStore(next raft.StableStore, p *poison, w *watermark) (*voteStore, error) {
	v := &voteStore{next: next, poison: p, beforeVote: w.flush, promised: w.promise, turn: make(chan struct{}, 1)}
	raw, err := next.Get(keyVote)
	if errors.Is(err, ErrNotFound) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	v.rec, err = decodeVote(raw)
	return v, err
}

// SetUint64 implements raft.StableStore.
func (v *voteStore) SetUint64(key []byte, val uint64) error {
	err := v.setUint64(key, val)
	if err != nil && string(key) == keyTerm && v.poison.err() != nil {
		time.Sleep(v.termHold)
	}
	return err
}

func (v *voteStore) setUint64(key []byte, val uint64) error {
	v.turn <- struct{}{}
	defer func() { <-v.turn }()
	switch string(key) {
	case keyTerm:
		return v.setTerm(val)
	case keyVoteTerm:
		if err := v.poison.err(); err != nil {
			return err
		}
		v.held = &val
		return nil
	}
	return v.next.SetUint64(key, val)
}

func (v *voteStore) setTerm(term uint64) error {
	if term < v.rec.term {
		return fmt.Errorf("%w: term %d after term %d", ErrVoteConflict, term, v.rec.term)
	}
	rec := v.rec
	rec.term = term
	return v.write(rec)
}

// Set implements raft.StableStore.
func (v *voteStore) Set(key, val []byte) error {
	if string(key) != keyVoteCand {
		return v.next.Set(key, val)
	}
	v.turn <- struct{}{}
	defer func() { <-v.turn }()
	if v.held == nil {
		return ErrVoteOrder
	}
	term := *v.held
	v.held = nil
	return v.vote(term, bytes.Clone(val))
}

func (v *voteStore) vote(term uint64, cand []byte) error {
	if len(cand) > candidateMax {
		return fmt.Errorf("candidate has %d bytes, at most %d are kept", len(cand), candidateMax)
	}
	if term < v.rec.voteTerm || term == v.rec.voteTerm && !bytes.Equal(cand, v.rec.cand) {
		return fmt.Errorf("%w: vote for %q in term %d after one for %q in term %d",
			ErrVoteConflict, cand, term, v.rec.cand, v.rec.voteTerm)
	}
	// The log that this vote rests on must be remembered first.
	if err := v.beforeVote(); err != nil {
		return fmt.Errorf("watermark before a vote: %w", err)
	}
	return v.write(voteRecord{term: v.rec.term, voteTerm: term, cand: cand})
}

// write makes rec the durable one. Raft sets the term that it has just read
// at each start, so an equal record costs nothing.
func (v *voteStore) write(rec voteRecord) error {
	if err := v.poison.err(); err != nil {
		return err
	}
	if rec.term == v.rec.term && rec.voteTerm == v.rec.voteTerm && bytes.Equal(rec.cand, v.rec.cand) {
		return nil
	}
	if err := v.next.Set(keyVote, encodeVote(rec)); err != nil {
		return err
	}
	v.rec = rec
	v.promised(rec.term, rec.voteTerm)
	return nil
}

// GetUint64 implements raft.StableStore. It returns 0 for what was never set.
func (v *voteStore) GetUint64(key []byte) (uint64, error) {
	v.turn <- struct{}{}
	defer func() { <-v.turn }()
	if err := v.poison.err(); err != nil {
		return 0, err
	}
	switch string(key) {
	case keyTerm:
		return v.rec.term, nil
	case keyVoteTerm:
		return v.rec.voteTerm, nil
	}
	return v.next.GetUint64(key)
}

// Get implements raft.StableStore.
func (v *voteStore) Get(key []byte) ([]byte, error) {
	v.turn <- struct{}{}
	defer func() { <-v.turn }()
	if string(key) != keyVoteCand {
		return v.next.Get(key)
	}
	if err := v.poison.err(); err != nil {
		return nil, err
	}
	if v.rec.cand == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(v.rec.cand), nil
}

func encodeVote(r voteRecord) []byte {
	buf := make([]byte, 0, voteHead+len(r.cand)+4)
	buf = append(buf, voteVersion)
	buf = binary.BigEndian.AppendUint64(buf, r.term)
	buf = binary.BigEndian.AppendUint64(buf, r.voteTerm)
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(r.cand)))
	buf = append(buf, r.cand...)
	return binary.BigEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli))
}

func decodeVote(raw []byte) (voteRecord, error) {
	bad := fmt.Errorf("%w: the record of its last vote cannot be read", ErrForgotten)
	if len(raw) < voteHead+4 || raw[0] != voteVersion {
		return voteRecord{}, bad
	}
	body, crc := raw[:len(raw)-4], raw[len(raw)-4:]
	n := int(binary.BigEndian.Uint16(raw[17:]))
	if binary.BigEndian.Uint32(crc) != crc32.Checksum(body, castagnoli) || len(body) != voteHead+n {
		return voteRecord{}, bad
	}
	r := voteRecord{term: binary.BigEndian.Uint64(raw[1:]), voteTerm: binary.BigEndian.Uint64(raw[9:])}
	if r.voteTerm > 0 {
		r.cand = bytes.Clone(body[voteHead:])
	}
	return r, nil
}
