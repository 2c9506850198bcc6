package fsm

import (
	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/body"
	"github.com/ferrymq/ferrymq/fsm/pages"
)

const (
	// browseMax is how many messages one Browse looks at.
	browseMax = 5000
	// browsePassed is how many packed messages that are passed on the way to
	// others count as one that is looked at: they take so much less time.
	browsePassed = 16
)

// MessageStates is a set of states; the empty one is all of them.
type MessageStates uint8

// StatesOf makes a set.
func StatesOf(states ...MessageState) (set MessageStates) {
	for _, s := range states {
		set |= 1 << s
	}
	return set
}

// Has tells whether the state is in the set, or the set is empty.
func (m MessageStates) Has(s MessageState) bool { return m == 0 || m&(1<<s) != 0 }

// BrowseQuery chooses messages of a queue. A condition that is zero holds for
// all; what is in a record, its caller has to judge.
type BrowseQuery struct {
	After       uint64 // only places above this
	Limit       int    // messages; at least 1
	States      MessageStates
	Index       uint64 // with Position, the id of one message
	Position    uint32
	Group       string // leaves out what is surely of another one, as Tenant does:
	Tenant      string // the rest has to be judged by its records
	SinceMillis int64  // enqueued then or later, by the wall clock
	UntilMillis int64  // enqueued then or before
}

// BrowsePage is some of them, in the order of their places. It may be empty
// while there are more.
type BrowsePage struct {
	Messages []BrowsedMessage
	Next     uint64 // After of the next page
	More     bool
}

// BrowsedMessage is a message and its record.
type BrowsedMessage struct {
	MessageInfo
	History   []Attempt // of one that is not dead: the last attempts without success, oldest first
	Forgotten uint32    // attempts before those
	Body      body.Ref
}

// Browse looks at the messages of a queue without changing anything. It looks
// at a bounded number of them, however many lines they are in, so that it may be
// called while the state is locked. It gets further with each page; not ok if
// there is no such queue.
func (s *State) Browse(name string, c BrowseQuery) (page BrowsePage, ok bool) {
	incarnation, ok := s.names.Get(name)
	if !ok {
		return page, false
	}
	q, _ := s.queues.Get(incarnation)
	page.Next = c.After
	b := s.browse(q, c.After)
	for looked := 0; ; looked++ {
		x, waits := b.next()
		if !waits {
			return page, true
		}
		if looked+b.passed()/browsePassed >= browseMax || len(page.Messages) >= max(c.Limit, 1) {
			page.More = true
			return page, true
		}
		page.Next = x.place
		i := s.browsed(q, &x)
		if !c.wants(q, &i) {
			continue
		}
		m := BrowsedMessage{MessageInfo: i}
		if x.more != nil && x.more.death == nil {
			m.History, m.Forgotten = x.more.history, x.more.forgotten
		}
		m.Body, _ = s.bodies.Get(x.index, x.position) // Check: each message has one
		page.Messages = append(page.Messages, m)
	}
}

func (c *BrowseQuery) wants(q *queue, i *MessageInfo) bool {
	return c.States.Has(i.State) && (c.Index == 0 || c.Index == i.ID.Index && c.Position == i.ID.Position) &&
		(c.Group == "" || c.Group == i.Group || !q.tellsGroup()) && (c.Tenant == "" || c.Tenant == i.Tenant || !q.tellsTenant(i)) &&
		i.EnqueuedMillis >= c.SinceMillis && (c.UntilMillis == 0 || i.EnqueuedMillis <= c.UntilMillis)
}

// tellsGroup says that a message's line tells its group: a dead-letter queue
// has one line for all.
func (q *queue) tellsGroup() bool { return q.deadLetter != 0 }

// tellsTenant says that a message's line tells its tenant. That of a group
// tells the tenant of the message that it began with.
func (q *queue) tellsTenant(i *MessageInfo) bool {
	return q.deadLetter != 0 && q.settings.Fair && i.Group == ""
}

// found is a message at its place.
type found struct {
	message
	place uint64
	state MessageState
	lease *lease // of a leased one
}

func (s *State) browsed(q *queue, x *found) MessageInfo {
	i := s.messageInfo(q, x.state, x.place, &x.message)
	if l := x.lease; l != nil {
		c, _ := s.consumers.Get(l.consumer)
		y, _ := s.sessions.Get(c.session)
		i.Token, i.Session, i.Consumer, i.DeadlineMillis, i.Extended = l.token, y.id, c.number, l.deadline(), l.flags&flagExtended != 0
	}
	return i
}

// source gives messages by place.
type source func() (found, bool)

// browser merges sources by place.
type browser struct {
	begun btree.Map[uint64, source] // by the place of what was read of them
	read  map[uint64]found          // the same
	plain laneWalk
	lines *linesWalk
}

func (s *State) browse(q *queue, after uint64) *browser {
	b := &browser{read: map[uint64]found{}, lines: q.walkLines(after)}
	b.plain = q.lane.walk(after + 1)
	b.begin(func() (x found, ok bool) {
		place, p, ok := b.plain.next()
		return found{message: p.message(), place: place, state: Ready}, ok
	})
	b.begin(func() (x found, ok bool) {
		if x.place, ok = b.lines.front(); ok {
			x.message, x.state = b.lines.next(), Ready
		}
		return x, ok
	})
	b.begin(setSource(&q.returned, after, func(place uint64, m message) found {
		return found{message: m, place: place, state: Ready}
	}))
	b.begin(setSource(&q.leased, after, func(place uint64, l lease) found {
		return found{message: l.rest(), place: place, state: Leased, lease: &l}
	}))
	b.begin(setSource(&q.waiting, after, func(place uint64, m message) found {
		return found{message: m, place: place, state: m.waits()}
	}))
	b.begin(setSource(&q.parked, after, func(place uint64, m message) found {
		return found{message: m, place: place, state: Parked}
	}))
	return b
}

// begin reads the next message of a source.
func (b *browser) begin(from source) {
	if x, ok := from(); ok {
		b.begun.Set(x.place, from)
		b.read[x.place] = x
	}
}

// next is the message with the lowest place that was not read.
func (b *browser) next() (x found, ok bool) {
	place, from, ok := b.begun.Min()
	if !ok {
		return x, false
	}
	b.begun.Delete(place)
	x = b.read[place]
	delete(b.read, place)
	b.begin(from)
	return x, true
}

// passed is how many packed messages were passed to get to others.
func (b *browser) passed() int { return b.plain.passed + b.lines.passed }

// setSource reads messages with records of their own.
func setSource[M any](set *pages.Map[M], after uint64, f func(place uint64, m M) found) source {
	it := set.Iter()
	more := it.Seek(after + 1)
	return func() (x found, ok bool) {
		if ok = more; ok {
			x = f(it.Key(), it.Value())
			more = it.Next()
		}
		return x, ok
	}
}
