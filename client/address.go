package client

import (
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// shunFor is how long an address that failed is not followed by a hint.
	shunFor = time.Second
	// maxKnown bounds the addresses that nodes tell.
	maxKnown = 256
)

// addressBook is the nodes that can be dialled: those of the URL and, unless
// the connection is to stay on them, those that nodes tell.
type addressBook struct {
	url   []string
	stay  bool
	known []string // told by the last node, in its order
	shun  map[string]time.Time
}

func newAddressBook(url []string, stay bool) addressBook {
	return addressBook{url: url, stay: stay, shun: map[string]time.Time{}}
}

// learn replaces what nodes told before.
func (b *addressBook) learn(nodes []transport.NodeInfo) {
	if b.stay || len(nodes) == 0 {
		return
	}
	b.known = b.known[:0]
	for _, n := range nodes[:min(len(nodes), maxKnown)] {
		if n.ClientAddr != "" {
			b.known = append(b.known, n.ClientAddr)
		}
	}
}

func (b *addressBook) failed(addr string, now time.Time) {
	for other, until := range b.shun {
		if now.After(until) {
			delete(b.shun, other)
		}
	}
	b.shun[addr] = now.Add(shunFor)
}

func (b *addressBook) shunned(addr string, now time.Time) bool {
	return now.Before(b.shun[addr])
}

// round is every address once: first the one preferred, then the others in
// random order, and last those that failed just now.
func (b *addressBook) round(first string, now time.Time) []string {
	var all, bad []string
	seen := map[string]bool{}
	add := func(addr string) {
		switch {
		case addr == "" || seen[addr]:
			return
		case b.shunned(addr, now):
			bad = append(bad, addr)
		default:
			all = append(all, addr)
		}
		seen[addr] = true
	}
	add(first)
	lead := len(all)
	for _, list := range [][]string{b.url, b.known} {
		for _, addr := range list {
			add(addr)
		}
	}
	rest := all[lead:]
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return append(all, bad...)
}
