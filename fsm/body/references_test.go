package body

import (
	"errors"
	"testing"
)

func TestBodyGoesWithItsLastReference(t *testing.T) {
	var s Store
	fill(t, &s, 1, 3, 10, 0)
	for range 2 {
		if err := s.Retain(1, 1); err != nil {
			t.Fatal(err)
		}
	}
	v := s.View()
	for n := uint64(3); n > 0; n-- {
		s.Each(func(_ uint64, position uint32, references uint64) {
			if want := map[bool]uint64{false: 1, true: n}[position == 1]; references != want {
				t.Fatalf("%d references to %d, want %d", references, position, want)
			}
		})
		r, err := s.Get(1, 1)
		check(t, r, err, 1, 1, 10)
		if frees, want := s.Frees(1, 1), map[bool]uint64{true: uint64(r.Len())}[n == 1]; frees != want {
			t.Fatalf("one of %d references frees %d bytes, want %d", n, frees, want)
		}
		if err := s.Drop(1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Drop(1, 1); !errors.Is(err, ErrMissing) || s.Len() != 2 || v.Len() != 3 {
		t.Fatalf("%v, %d bodies, %d in the view", err, s.Len(), v.Len())
	}
	if n := s.Frees(1, 1); n != 0 {
		t.Fatalf("what is gone frees %d bytes", n)
	}
	if err := s.Retain(1, 1); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
}

func TestReferencesAreClaimedAnew(t *testing.T) {
	var s Store
	fill(t, &s, 1, 2, 10, 0)
	fill(t, &s, 2, 1, 10, 0)
	for _, id := range [][2]uint64{{1, 1}, {2, 0}, {1, 1}} {
		if err := s.Claim(id[0], uint32(id[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Claimed(); err == nil {
		t.Fatal("a body of nobody")
	}
	if err := s.Claim(1, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Claim(1, 2); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	if err := s.Claimed(); err != nil {
		t.Fatal(err)
	}
	for _, position := range []uint32{1, 1, 0} {
		if err := s.Drop(1, position); err != nil {
			t.Fatal(err)
		}
	}
	if s.Len() != 1 {
		t.Fatal(s.Len())
	}
}
