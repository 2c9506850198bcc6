package broker

import (
	"sync"
	"sync/atomic"

	"github.com/ferrymq/ferrymq/fsm"
)

// handle is a session in a group as attached through a connection. An Attach
// with another epoch makes a new one under the same number.
type handle struct {
	conn    *conn
	lane    *lane
	number  uint32
	session fsm.SessionID
	epoch   uint64

	broken bool // an operation failed outside of the state machine; guarded by lane.mu

	void  atomic.Bool // a later attachment replaced it: nothing is delivered any more
	ended atomic.Bool // its session was given up
}

// sessions are the handles of a lane. A session's deliveries go to the handle
// whose Attach was applied last.
type sessions struct {
	mu      sync.Mutex
	handles map[*handle]struct{}
	bound   map[fsm.SessionID]*handle
	former  map[fsm.SessionID]*handle // replaced by another epoch, its connection still open
}

func newSessions() sessions {
	return sessions{
		handles: map[*handle]struct{}{},
		bound:   map[fsm.SessionID]*handle{},
		former:  map[fsm.SessionID]*handle{},
	}
}

// add makes the handle known: it hears of changes of the leader from now on.
func (s *sessions) add(h *handle) {
	s.mu.Lock()
	s.handles[h] = struct{}{}
	s.mu.Unlock()
}

// bind gives the session's deliveries to h.
func (s *sessions) bind(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, alive := s.handles[h]; !alive {
		return // its connection ended; the Detach is behind this entry
	}
	old := s.bound[h.session]
	if old == h {
		return
	}
	if old != nil {
		if old.epoch > h.epoch {
			return
		}
		old.void.Store(true)
		s.former[h.session] = old
	}
	s.bound[h.session] = h
}

// find returns the handle that an effect for (session, epoch) is for.
func (s *sessions) find(session fsm.SessionID, epoch uint64) *handle {
	if h := s.bound[session]; h != nil {
		if h.epoch == epoch {
			return h
		}
		if f := s.former[session]; f != nil && f.epoch == epoch {
			return f
		}
	}
	return nil
}

// unbind stops deliveries to h.
func (s *sessions) unbind(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(h)
}

// remove forgets h: its connection ended, or it was replaced there.
func (s *sessions) remove(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.handles, h)
	s.drop(h)
}

func (s *sessions) drop(h *handle) {
	if s.bound[h.session] == h {
		delete(s.bound, h.session)
	}
	if s.former[h.session] == h {
		delete(s.former, h.session)
	}
	h.void.Store(true)
}

// all lists the handles whose clients are to attach again.
func (s *sessions) all() []*handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*handle, 0, len(s.handles))
	for h := range s.handles {
		if !h.ended.Load() && !h.void.Load() {
			list = append(list, h)
		}
	}
	return list
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bound)
}
