package client

// barrier tells when everything that entered before a moment has left again.
// Flush waits on it. Not safe for concurrent use: the outbox guards it.
type barrier struct {
	generations []*generation // oldest first; the last is open
}

// generation is what entered between two flushes.
type generation struct {
	inside int
	over   chan struct{} // closed when it and all before it are empty
}

func newBarrier() barrier {
	return barrier{generations: []*generation{{over: make(chan struct{})}}}
}

func (b *barrier) enter() *generation {
	g := b.generations[len(b.generations)-1]
	g.inside++
	return g
}

// again enters the generation, which is not over, once more.
func (g *generation) again() *generation {
	g.inside++
	return g
}

func (b *barrier) leave(g *generation) {
	g.inside--
	b.retire()
}

// seal ends the open generation and returns what tells that all so far have
// left, nil if nothing is inside.
func (b *barrier) seal() <-chan struct{} {
	last := len(b.generations) - 1
	open := b.generations[last]
	switch {
	case open.inside > 0:
		b.generations = append(b.generations, &generation{over: make(chan struct{})})
		return open.over
	case last > 0:
		return b.generations[last-1].over
	}
	return nil
}

func (b *barrier) retire() {
	for len(b.generations) > 1 && b.generations[0].inside == 0 {
		close(b.generations[0].over)
		b.generations = b.generations[1:]
	}
}
