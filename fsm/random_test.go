package fsm

import (
	"math/rand/v2"
	"testing"
)

// Random entries, each applied to a replica that is restored before it as
// well: both agree, and every invariant holds after each, also of what an entry
// leaves half done.
func TestRandomReplicas(t *testing.T) {
	for range 60 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		s := prepared(t)
		s.bounds = lowBounds(rng)
		var lease int64
		for range 60 {
			in := &feed{b: make([]byte, 400)}
			for i := range in.b {
				in.b[i] = byte(rng.Uint32())
			}
			r := copyOf(t, s)
			entry := in.entry(&lease)
			_, err := s.Apply(s.Index()+1, entry)
			_, again := r.Apply(r.Index()+1, append([]byte(nil), entry...))
			if (err == nil) != (again == nil) {
				t.Fatalf("seed %d: %v, %v", seed, err, again)
			}
			if err != nil {
				break
			}
			if err := s.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if s.Hash() != r.Hash() || s.Digest() != r.Digest() {
				t.Fatalf("seed %d: the replica differs", seed)
			}
		}
	}
}

// lowBounds has most entries leave something for the next.
func lowBounds(rng *rand.Rand) Bounds {
	b := New(1).bounds
	for _, bound := range []*int{&b.Room, &b.Tenants, &b.Groups, &b.Reclaim, &b.Move, &b.Due, &b.Lines, &b.FanOut, &b.Held} {
		if n := rng.IntN(4); n > 0 {
			*bound = n
		}
	}
	return b
}
