package pages

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// pair is a map beside what it should be.
type pair struct {
	m    *Map[uint64]
	want map[uint64]uint64
}

func (p pair) check(t *rapid.T) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(p.want))
	if p.m.Len() != len(keys) {
		t.Fatalf("%d keys, want %d", p.m.Len(), len(keys))
	}
	var scanned []uint64
	p.m.Scan(func(key, v uint64) bool {
		if p.want[key] != v {
			t.Fatalf("key %d: %d, want %d", key, v, p.want[key])
		}
		scanned = append(scanned, key)
		return true
	})
	if !slices.Equal(scanned, keys) {
		t.Fatalf("keys %d, want %d", scanned, keys)
	}
	low, _, ok := p.m.Min()
	high, _, also := p.m.Max()
	if ok != (len(keys) > 0) || also != ok || ok && (low != keys[0] || high != keys[len(keys)-1]) {
		t.Fatalf("from %d to %d, want %d", low, high, keys)
	}
}

// TestLikeAMap compares with a plain map whatever is done, also to copies.
func TestLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := []pair{{m: new(Map[uint64]), want: map[uint64]uint64{}}}
		next := rapid.Uint64Range(0, 1000).Draw(t, "first")
		for step := range uint64(rapid.IntRange(1, 400).Draw(t, "steps")) {
			p := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
			some := rapid.Uint64Range(0, next).Draw(t, "some")
			was, had := p.want[some]
			switch rapid.SampledFrom([]string{"append", "append", "append", "pop", "delete", "delete", "set", "get", "seek", "copy"}).Draw(t, "what") {
			case "append":
				next += rapid.SampledFrom([]uint64{1, 1, 1, 1, 2, 60, 200}).Draw(t, "gap")
				p.m.Set(next, step)
				p.want[next] = step
			case "set":
				if old, replaced := p.m.Set(some, step); old != was || replaced != had {
					t.Fatalf("set %d: %d, %v", some, old, replaced)
				}
				p.want[some] = step
			case "get":
				if v, ok := p.m.Get(some); v != was || ok != had {
					t.Fatalf("get %d: %d, %v", some, v, ok)
				}
			case "delete":
				if v, ok := p.m.Delete(some); v != was || ok != had {
					t.Fatalf("delete %d: %d, %v", some, v, ok)
				}
				delete(p.want, some)
			case "pop":
				key, v, ok := p.m.PopMin()
				if want, had := p.want[key]; ok != had || v != want {
					t.Fatalf("pop: %d, %d, %v", key, v, ok)
				}
				delete(p.want, key)
			case "seek":
				it, more := p.m.from(some)
				keys := slices.Sorted(maps.Keys(p.want))
				i, _ := slices.BinarySearch(keys, some)
				if more != (i < len(keys)) || more && it.Key() != keys[i] {
					t.Fatalf("seek %d: %v", some, more)
				}
			case "copy":
				if len(all) < 4 {
					all = append(all, pair{m: p.m.Copy(), want: maps.Clone(p.want)})
				}
			}
			p.check(t)
		}
		for _, p := range all {
			p.check(t)
		}
	})
}

// TestPagesAreUsedAgain runs a row of keys through a map: it must not take a
// page for each.
func TestPagesAreUsedAgain(t *testing.T) {
	var m Map[[12]uint64]
	key := uint64(0)
	round := func() {
		for range perPage {
			m.Set(key, [12]uint64{key})
			key++
			if m.Len() > 20 {
				m.PopMin()
			}
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations for %d keys that come and go", n, perPage)
	}
}
