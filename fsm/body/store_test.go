package body

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// fill stores count records of n bytes under an index, behind pad bytes of
// something else.
func fill(t *testing.T, s *Store, index uint64, count, n, pad int) {
	t.Helper()
	entry := make([]byte, pad)
	for i := range count {
		entry = append(entry, want(index, i, n)...)
	}
	for i := range count {
		if err := s.Add(index, uint32(i), entry, pad+i*n, n); err != nil {
			t.Fatal(err)
		}
	}
	s.Settled(index)
}

func want(index uint64, i, n int) []byte {
	return bytes.Repeat([]byte{byte(index)*16 + byte(i)}, n)
}

func check(t *testing.T, r Ref, err error, index uint64, i, n int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Load()
	if err != nil || !bytes.Equal(got, want(index, i, n)) || r.Len() != n {
		t.Fatalf("body %d-%d: %q, %v", index, i, got, err)
	}
}

func TestBlockShrinksAndGoes(t *testing.T) {
	var s Store
	fill(t, &s, 1, 8, 100, 0)
	kept, err := s.Get(1, 7)
	check(t, kept, err, 1, 7, 100)
	for i := range 6 {
		if err := s.Drop(1, uint32(i)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Held() != 800 {
		t.Fatalf("a quarter lives, but %d bytes are held", s.Held())
	}
	if err := s.Drop(1, 6); err != nil {
		t.Fatal(err)
	}
	if s.Held() != 100 || s.Bytes() != 100 || s.Len() != 1 {
		t.Fatalf("%d held, %d live, %d bodies", s.Held(), s.Bytes(), s.Len())
	}
	r, err := s.Get(1, 7)
	check(t, r, err, 1, 7, 100)
	if err := s.Drop(1, 7); err != nil {
		t.Fatal(err)
	}
	check(t, kept, nil, 1, 7, 100) // a Ref outlives its body
	if s.Held() != 0 || s.Len() != 0 {
		t.Fatalf("%d held, %d bodies", s.Held(), s.Len())
	}
	if _, err := s.Get(1, 7); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	if err := s.Drop(1, 7); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
}

func TestEntryOfOtherThingsIsGivenBack(t *testing.T) {
	var s Store
	fill(t, &s, 1, 1, 100, 1000)
	if s.Held() != 100 {
		t.Fatalf("%d bytes held for 100", s.Held())
	}
	r, err := s.Get(1, 0)
	check(t, r, err, 1, 0, 100)
}

func TestAddRefusesNonsense(t *testing.T) {
	var s Store
	entry := make([]byte, 10)
	for _, c := range []struct {
		position       uint32
		offset, length int
	}{{1, 0, 11}, {1, 11, 0}, {1, -1, 1}, {1, 5, 6}} {
		if s.Add(1, c.position, entry, c.offset, c.length) == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if err := s.Add(1, 5, entry, 0, 1); err != nil {
		t.Fatal(err)
	}
	if s.Add(1, 5, entry, 0, 1) == nil || s.Add(1, 4, entry, 0, 1) == nil {
		t.Error("a position was taken twice")
	}
}

// A view sees what lived when it was taken, while the store goes on.
func TestViewIsPinned(t *testing.T) {
	var s Store
	const entries, each = 40, 5
	for i := range entries {
		fill(t, &s, uint64(i+1), each, 20, 0)
	}
	v := s.View()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			n, bodies := 0, 0
			err := v.Each(func(index uint64, count int, size uint64) error {
				n++
				if count != each || size != each*20 {
					return fmt.Errorf("entry %d: %d bodies, %d bytes", index, count, size)
				}
				r, err := v.Get(index, 3)
				if err == nil && r.Len() != 20 {
					err = fmt.Errorf("%d bytes", r.Len())
				}
				return err
			}, func(position uint32, data []byte) error {
				if !bytes.Equal(data, want(uint64(n), int(position), 20)) {
					return fmt.Errorf("body %d-%d: %q", n, position, data)
				}
				bodies++
				return nil
			})
			if err != nil || n != entries || uint64(bodies) != v.Len() {
				t.Errorf("%d entries, %d bodies: %v", n, bodies, err)
				return
			}
		}
	})
	for i := range entries {
		for p := range each {
			if err := s.Drop(uint64(i+1), uint32(p)); err != nil {
				t.Fatal(err)
			}
		}
		fill(t, &s, uint64(entries+i+1), each, 20, 0)
	}
	wg.Wait()
}

// Random work against a map; two views are taken on the way.
func TestStoreAgainstMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	type id struct {
		index    uint64
		position uint32
	}
	var s Store
	model := map[id][]byte{}
	same := func(get func(uint64, uint32) (Ref, error), model map[id][]byte) {
		t.Helper()
		for k, v := range model {
			r, err := get(k.index, k.position)
			if err != nil || !bytes.Equal(r.data, v) {
				t.Fatalf("%v: %v", k, err)
			}
		}
	}
	var pinned map[id][]byte
	var view *View
	for index := uint64(1); index < 400; index++ {
		count := rng.IntN(12)
		fill(t, &s, index, count, 10, rng.IntN(60))
		for i := range count {
			model[id{index, uint32(i)}] = want(index, i, 10)
		}
		for k := range model {
			if rng.IntN(3) == 0 {
				if err := s.Drop(k.index, k.position); err != nil {
					t.Fatal(err)
				}
				delete(model, k)
			}
		}
		if index%100 == 0 {
			if view != nil {
				same(view.Get, pinned)
			}
			view, pinned = s.View(), map[id][]byte{}
			for k, v := range model {
				pinned[k] = v
			}
		}
		same(s.Get, model)
		if s.Len() != uint64(len(model)) || s.Bytes() != uint64(10*len(model)) || s.Bytes()*liveShare < s.Held() {
			t.Fatalf("%d bodies, want %d; %d live, %d held", s.Len(), len(model), s.Bytes(), s.Held())
		}
	}
	same(view.Get, pinned)
}
