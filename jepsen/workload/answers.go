package workload

import (
	"sync"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// answersKept bounds the answers of publishes that a client remembers. More
// than its window has room for are never waited for.
const answersKept = 16384

// actionExtend is the one settle of the protocol that may come more than once.
const actionExtend = 4

// answers is what the client library has told of operations that their callers
// are about to be told of. It finds the operation of an answer again: a publish
// by its receipt, a settle by its token, any other by its order. The library's
// goroutine writes to it, and waits for nothing here.
type answers struct {
	mu        sync.Mutex
	published map[uint64][]sent // by log index
	ring      []uint64          // the indexes of published, oldest first
	settles   map[settling]*settled
	latest    map[request]client.Answer
}

// sent is one publish operation that was accepted.
type sent struct {
	position uint32
	number   uint64
	sends    int
}

// settling names a settle that is under way.
type settling struct {
	token  uint64
	extend bool
}

type settled struct {
	at     history.Witness
	number uint64
	sends  int
}

// request names operations of which a client has one at a time.
type request struct{ op, resource string }

func newAnswers() *answers {
	return &answers{
		published: map[uint64][]sent{}, settles: map[settling]*settled{}, latest: map[request]client.Answer{},
	}
}

// take is the library's answer function.
func (a *answers) take(x client.Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case x.Op == "settle":
		a.takeSettles(x)
		return
	case x.Op == "publish" && x.Index != 0:
		a.takePublish(x)
	}
	key := request{x.Op, x.Resource}
	if x.Number > a.latest[key].Number || x.Session != a.latest[key].Session {
		x.Codes, x.Tokens, x.Actions = nil, nil, nil
		a.latest[key] = x
	}
}

func (a *answers) takePublish(x client.Answer) {
	if len(a.ring) == answersKept {
		delete(a.published, a.ring[0])
		a.ring = a.ring[1:]
	}
	a.published[x.Index] = append(a.published[x.Index], sent{x.Position, x.Number, x.Sends})
	a.ring = append(a.ring, x.Index)
}

func (a *answers) takeSettles(x client.Answer) {
	for i, token := range x.Tokens {
		s := a.settles[settling{token, x.Actions[i] == actionExtend}]
		if s == nil {
			continue // the library's own: an extension, a message that nobody had begun
		}
		s.number, s.sends = x.Number, x.Sends
		if x.Index != 0 {
			s.at = history.Witness{Group: x.Group, Index: x.Index, Position: x.Position + uint32(i)}
		}
	}
}

// receipt fills in the operation of an accepted message.
func (a *answers) receipt(o *history.Op, id client.MessageID) {
	o.At = witnessOf(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	var found sent
	for _, s := range a.published[id.Index] {
		if s.position <= id.Position && s.position >= found.position {
			found = s
		}
	}
	o.Number, o.Sends = found.number, found.sends
}

// expect waits for the answer to a settle; forget returns it.
func (a *answers) expect(key settling) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settles[key] = &settled{}
}

func (a *answers) forget(key settling) settled {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.settles[key]
	delete(a.settles, key)
	if s == nil {
		return settled{}
	}
	return *s
}

// answer fills in an operation that was alone under way under its name. An
// earlier one that was given up may be answered late, under a lower number.
func (a *answers) answer(o *history.Op, op, resource string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.latest[request{op, resource}]
	o.Number, o.Sends = x.Number, x.Sends
	if x.Index != 0 {
		o.At = history.Witness{Group: x.Group, Index: x.Index, Position: x.Position}
	}
}

func witnessOf(id client.MessageID) history.Witness {
	return history.Witness{Group: id.Group, Index: id.Index, Position: id.Position}
}
