package cluster

import "sync"

// digestsMax is how many entries back a replica's digest can be compared.
const digestsMax = 8192

// digestAt is a replica's running digest right after an entry.
type digestAt struct {
	Index  uint64
	Digest [32]byte
}

// digestRing keeps the digests of the last entries, so that a leader can
// compare a follower that is a little behind.
type digestRing struct {
	mu   sync.Mutex
	ring []digestAt // in order of index, oldest at next once it is full
	next int
}

func (r *digestRing) add(index uint64, digest [32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := digestAt{Index: index, Digest: digest}
	if len(r.ring) < digestsMax {
		r.ring = append(r.ring, d)
		return
	}
	r.ring[r.next] = d
	r.next = (r.next + 1) % digestsMax
}

func (r *digestRing) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring, r.next = r.ring[:0], 0
}

// last returns the newest digest.
func (r *digestRing) last() (digestAt, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) == 0 {
		return digestAt{}, false
	}
	return r.ring[(r.next+len(r.ring)-1)%len(r.ring)], true
}

// at returns the digest right after the entry, if it is still known.
func (r *digestRing) at(index uint64) ([32]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.ring)
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if r.ring[(r.next+mid)%n].Index < index {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < n {
		if d := r.ring[(r.next+lo)%n]; d.Index == index {
			return d.Digest, true
		}
	}
	return [32]byte{}, false
}
