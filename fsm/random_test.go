package fsm

import (
	"math/rand/v2"
	"testing"
)

// Random entries, each applied to a replica that is restored before it as
// well: both agree, and every invariant holds after each.
func TestRandomReplicas(t *testing.T) {
	for range 60 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		s := prepared(t)
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
