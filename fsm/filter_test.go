package fsm

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// matches is the definition, word by word.
func matches(filter, subject string) bool {
	if subject == "" {
		return filter == ">"
	}
	f, s := strings.Split(filter, "."), strings.Split(subject, ".")
	for i, w := range f {
		switch {
		case w == ">":
			return len(s) > i
		case i >= len(s) || w != "*" && w != s[i]:
			return false
		}
	}
	return len(f) == len(s)
}

func TestFiltersMatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	words := func(from []string) string {
		var all []string
		for range 1 + rng.IntN(4) {
			all = append(all, from[rng.IntN(len(from))])
		}
		return strings.Join(all, ".")
	}
	var f filters
	known := map[uint64]string{}
	for step := range 3000 {
		n := uint64(rng.IntN(60) + 1)
		if filter, ok := known[n]; ok {
			f.set(filter, n, false)
			delete(known, n)
		} else {
			filter = words([]string{"a", "b", "cc", "*"})
			if rng.IntN(4) == 0 {
				filter = strings.TrimPrefix(filter+".>", "a.")
			}
			if rng.IntN(9) == 0 {
				filter = ">"
			}
			known[n] = filter
			f.set(filter, n, true)
		}
		subject := words([]string{"a", "b", "cc", "d"})
		if step%50 == 0 {
			subject = ""
		}
		var want []uint64
		for n, filter := range known {
			if matches(filter, subject) {
				want = append(want, n)
			}
		}
		slices.Sort(want)
		got, words := f.match(nil, subject, MaxFilterWords)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v of %v", subject, got, want, known)
		}
		if words > 0 {
			if _, more := f.match(nil, subject, words-1); more < words {
				t.Fatalf("%q: %d of %d words compared, and not given up, with %v", subject, more, words, known)
			}
		}
	}
	for n, filter := range known {
		f.set(filter, n, false)
	}
	if !f.empty() {
		t.Fatalf("%+v", f)
	}
}

func TestWordsAreChecked(t *testing.T) {
	long := strings.Repeat("a.", 31) + "a"
	for text, good := range map[string][2]bool{ // as a subject, as a filter
		"a": {true, true}, "a.b-c.D_9": {true, true}, "": {false, false}, ".": {false, false}, "a.": {false, false},
		"a..b": {false, false}, "*": {false, true}, ">": {false, true}, "a.*.>": {false, true}, ">.a": {false, false},
		"a*": {false, false}, "a b": {false, false}, "ä": {false, false}, long: {true, true}, long + ".a": {false, false},
		strings.Repeat("a", 256): {true, true}, strings.Repeat("a", 257): {false, false},
	} {
		if (wordsFault(text, false) == "") != good[0] || (wordsFault(text, true) == "") != good[1] {
			t.Errorf("%q: %q, %q", text, wordsFault(text, false), wordsFault(text, true))
		}
	}
}

// TestTheFirstGoesWithoutAMove: many that go, oldest first, take no longer for
// those behind them.
func TestTheFirstGoesWithoutAMove(t *testing.T) {
	all := []uint64{3, 5, 8}
	rest := withOrWithout(all, 3, false)
	if !slices.Equal(rest, []uint64{5, 8}) || &rest[0] != &all[1] {
		t.Errorf("%d left, moved %v", rest, &rest[0] != &all[1])
	}
	if rest = withOrWithout(rest, 9, true); !slices.Equal(rest, []uint64{5, 8, 9}) {
		t.Errorf("%d", rest)
	}
}
