package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// Apply carries out one entry of the log. A client's mistake is a result; an
// error means that this node must stop, and sticks. The entry's bytes belong
// to the state from now on.
//
// Every entry has the same frame: clocks, commands in their order, what is
// due, room, reclaim, one hand-out for each queue touched. So a lease that is
// overdue but was not ended yet is still good for the commands, and what
// returns in this entry is handed out in it.
func (s *State) Apply(index uint64, entry []byte) (Applied, error) {
	if s.broken != nil {
		return Applied{}, s.broken
	}
	h, err := decodeEntryHeader(entry)
	if err != nil {
		return Applied{}, s.fail(err)
	}
	if index <= s.index {
		return Applied{}, s.failf("entry %d after %d", index, s.index)
	}
	s.index = index
	s.clock.WallMillis = max(s.clock.WallMillis, h.Clock.WallMillis)
	s.clock.LeaseMillis = max(s.clock.LeaseMillis, h.Clock.LeaseMillis)
	w := &s.work
	w.effects, w.touched = nil, w.touched[:0]
	w.position, w.due, w.checkpoint, w.toil = 0, 0, false, [toils]int{}
	w.efforts, w.crowded, w.comparing = efforts{}, w.crowded[:0], comparing{}

	// The count is not yet to be trusted: a command takes three bytes or more.
	results := make([]Result, 0, min(int64(h.Count), int64(len(entry)/3)))
	err = eachCommand(entry, h.Count, func(offset int, content []byte) error {
		r, err := s.command(offset, content, entry)
		w.by = doer{}
		results = append(results, r)
		if invariants && err == nil {
			err = s.checkAfter(len(results))
		}
		return err
	})
	if err != nil {
		return Applied{}, s.fail(err)
	}
	s.tail()
	if s.broken != nil {
		return Applied{}, s.broken
	}
	if n := len(w.effects); n > 0 {
		w.expected = n
	}
	a := Applied{Index: index, Results: results, Effects: w.effects, Checkpoint: w.checkpoint}
	s.digest = s.digestOf(&a)
	w.effects, w.info = nil, record.Info{} // nothing of the entry, or of a queue that is gone, is kept alive
	clear(w.targets)
	w.refusedBy = nil
	if cap(w.matched) > matchedKept {
		w.matched = nil
	}
	if cap(w.crowded) > crowdedKept {
		w.crowded = nil
	}
	if invariants {
		if err := s.Check(); err != nil {
			return Applied{}, s.fail(err)
		}
	}
	return a, nil
}

// tail is what follows the commands of every entry.
func (s *State) tail() {
	s.bodies.Settled(s.index)
	s.expire()
	s.moveCondemned(s.moveParked(s.bounds.Move))
	s.makeWay()
	s.reclaim()
	for _, incarnation := range s.work.touched {
		if q := s.queue(incarnation); q != nil {
			s.handOut(q)
		}
	}
}

// emit adds an effect. The list goes to whoever applied the entry, so each
// entry makes its own, for as many as the last one had.
func (s *State) emit(e *Effect) {
	w := &s.work
	if w.effects == nil {
		w.effects = make([]Effect, 0, min(w.expected, 256)+1)
	}
	w.effects = append(w.effects, *e)
}

func (s *State) fail(err error) error {
	if s.broken == nil {
		s.broken = fmt.Errorf("entry %d: %w", s.index, err)
	}
	return s.broken
}

func (s *State) failf(format string, args ...any) error {
	return s.fail(fmt.Errorf("%w: "+format, append([]any{ErrBroken}, args...)...))
}
