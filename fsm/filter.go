package fsm

import (
	"slices"
	"strings"
)

// A subject is words with dots between them; the empty one has none. In a
// filter * stands for any one word, and > at the end for one word or more; a
// filter of > alone also takes the empty subject.

const maxWords = 32 // of a subject or filter

// wordsFault says what is wrong with the words of a subject, or, with
// wildcards, of a filter; "" if nothing is.
func wordsFault(text string, wildcards bool) string {
	if len(text) > MaxFilterBytes {
		return "longer than 256 bytes"
	}
	n := 0
	for rest, more := text, true; more; n++ {
		var word string
		word, rest, more = strings.Cut(rest, ".")
		switch {
		case n == maxWords:
			return "more than 32 words"
		case word == "":
			return "an empty word"
		case wildcards && word == "*", wildcards && word == ">" && !more:
			continue
		}
		for i := range len(word) {
			if word[i] == '.' || !nameByte(word[i]) {
				return "a byte outside of A-Z a-z 0-9 _ -"
			}
		}
	}
	return ""
}

// filters finds the subscriptions whose filters match a subject, in a tree
// of words.
type filters struct {
	next map[string]*filters // by word; looked up, never walked
	any  *filters            // *
	rest []uint64            // of filters that end with > here
	here []uint64            // of filters that end here
}

// set adds or removes a subscription.
func (f *filters) set(filter string, incarnation uint64, present bool) {
	word, rest, more := strings.Cut(filter, ".")
	if word == ">" {
		f.rest = withOrWithout(f.rest, incarnation, present)
		return
	}
	child := f.any
	if word != "*" {
		child = f.next[word]
	}
	if child == nil {
		child = &filters{}
	}
	if more {
		child.set(rest, incarnation, present)
	} else {
		child.here = withOrWithout(child.here, incarnation, present)
	}
	if child.empty() {
		child = nil
	}
	switch {
	case word == "*":
		f.any = child
	case child == nil:
		delete(f.next, word)
	default:
		if f.next == nil {
			f.next = map[string]*filters{}
		}
		f.next[word] = child
	}
}

func (f *filters) empty() bool {
	return len(f.next) == 0 && f.any == nil && len(f.rest) == 0 && len(f.here) == 0
}

// withOrWithout adds or removes a number. The first one goes without a move of
// the rest: whoever takes many away takes the oldest first.
func withOrWithout(all []uint64, x uint64, with bool) []uint64 {
	i, found := slices.BinarySearch(all, x)
	switch {
	case with && !found:
		return slices.Insert(all, i, x)
	case !with && found && i == 0:
		return all[1:]
	case !with && found:
		return slices.Delete(all, i, i+1)
	}
	return all
}

// match appends the subscriptions that match, in the order of their numbers. It
// tells how many words it compared; if those are more than it may, it gave up.
func (f *filters) match(to []uint64, subject string, most int) (all []uint64, words int) {
	all, words = f.collect(to, subject, most)
	slices.Sort(all[len(to):])
	return all, words
}

// collect walks down all ways that a subject's words allow, two at each word at
// most, which may come to all words of all filters.
func (f *filters) collect(to []uint64, subject string, most int) (all []uint64, words int) {
	to = append(to, f.rest...)
	if subject == "" {
		return to, 0
	}
	word, rest, more := strings.Cut(subject, ".")
	for _, child := range [...]*filters{f.next[word], f.any} {
		if child == nil {
			continue
		}
		if words++; words > most {
			break
		}
		if !more {
			to = append(to, child.here...)
			continue
		}
		var deeper int
		to, deeper = child.collect(to, rest, most-words)
		words += deeper
	}
	return to, words
}
