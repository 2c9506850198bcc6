package modeltest

import (
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// traced is what happened to messages in the entry at hand, as told at the
// state and at the replica. It is no part of either, and has to be the same; a
// replay that tells nobody shows that it changes nothing.
type traced struct{ state, replica []fsm.TraceEvent }

func (h *history) trace() {
	h.state.SetTrace(func(e fsm.TraceEvent) { h.traced.state = append(h.traced.state, e) })
	h.traced.follow(h.replica)
}

func (x *traced) follow(replica *fsm.State) {
	replica.SetTrace(func(e fsm.TraceEvent) { x.replica = append(x.replica, e) })
}

// same compares the two, and forgets them.
func (x *traced) same() error {
	defer func() { x.state, x.replica = x.state[:0], x.replica[:0] }()
	if !slices.Equal(x.state, x.replica) {
		return fmt.Errorf("traced at the state: %+v\nat the replica: %+v", x.state, x.replica)
	}
	return nil
}
