package gossip

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"time"
)

// membersMax bounds the table of known nodes. At the bound the one that has
// been gone for longest makes room; if all are alive a new one is not noted.
const membersMax = 1024

// Member is what is known of a node.
type Member struct {
	ID    string
	Addr  string // host:port for gossip
	Meta  []byte
	Alive bool // believed to be; a member that is not stays listed
}

// Kind says what an Event is about.
type Kind int

// The kinds of event.
const (
	// Joined: the member is alive and was not, or was unknown.
	Joined Kind = iota + 1
	// Left: the member left, or is believed dead.
	Left
	// Updated: the member's address or meta changed.
	Updated
	// Conflict: another living node claims this member's id from the address
	// in Member.Addr. One of the two is misconfigured; neither is shut out.
	Conflict
)

func (k Kind) String() string {
	switch k {
	case Joined:
		return "joined"
	case Left:
		return "left"
	case Updated:
		return "updated"
	case Conflict:
		return "conflict"
	}
	return "unknown"
}

// Event tells the latest state of one member. States that a slow reader had
// no time for are skipped, but the last one never is.
type Event struct {
	Kind   Kind
	Member Member
}

// table is what is known of all nodes, and which of it the reader of the
// events has not been told. Its methods are called from memberlist's delegates
// and never wait.
type table struct {
	mu      sync.Mutex
	known   map[string]*known
	queue   []string // ids with something untold, each once
	changed chan struct{}
}

type known struct {
	Member
	since    time.Time // of being gone
	told     *Member   // as the reader last heard; nil if never
	conflict string    // untold address of another node with this id
	queued   bool
}

func newTable() *table {
	return &table{known: map[string]*known{}, changed: make(chan struct{}, 1)}
}

// see notes the state of a member.
func (t *table) see(m Member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[m.ID]
	if !ok {
		if len(t.known) >= membersMax && !t.evict() {
			return
		}
		k = &known{}
		t.known[m.ID] = k
	}
	if k.Alive && !m.Alive || !ok {
		k.since = time.Now()
	}
	k.Member = m
	t.tell(k)
}

// clash notes that another node uses a member's id. It reports false if that
// is no conflict: the member is gone and may well have moved.
func (t *table) clash(id, addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[id]
	if !ok || !k.Alive {
		return false
	}
	k.conflict = addr
	t.tell(k)
	return true
}

func (t *table) tell(k *known) {
	if !k.queued {
		k.queued = true
		t.queue = append(t.queue, k.ID)
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// evict forgets the member that has been gone for longest.
func (t *table) evict() bool {
	var oldest *known
	for _, k := range t.known {
		if !k.Alive && (oldest == nil || k.since.Before(oldest.since)) {
			oldest = k
		}
	}
	if oldest == nil {
		return false
	}
	delete(t.known, oldest.ID)
	t.queue = slices.DeleteFunc(t.queue, func(id string) bool { return id == oldest.ID })
	return true
}

// next returns the event for the first member in the queue, as of now. The
// event stays first until told is called with it.
func (t *table) next() (Event, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		k := t.known[t.queue[0]]
		if e, ok := k.untold(); ok {
			return e, true
		}
		k.queued = false
		t.queue = t.queue[1:]
	}
	return Event{}, false
}

func (k *known) untold() (Event, bool) {
	m := k.Member
	m.Meta = bytes.Clone(m.Meta)
	switch {
	case k.told == nil && m.Alive, k.told != nil && m.Alive && !k.told.Alive:
		return Event{Joined, m}, true
	case k.told == nil, !m.Alive && k.told.Alive:
		return Event{Left, m}, true
	case m.Addr != k.told.Addr || !bytes.Equal(m.Meta, k.told.Meta):
		return Event{Updated, m}, true
	case k.conflict != "":
		m.Addr = k.conflict
		return Event{Conflict, m}, true
	}
	return Event{}, false
}

// told notes that the reader has e.
func (t *table) told(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[e.Member.ID]
	if !ok {
		return
	}
	if e.Kind == Conflict {
		if k.conflict == e.Member.Addr {
			k.conflict = ""
		}
		return
	}
	m := e.Member
	m.Meta = bytes.Clone(m.Meta) // the reader owns the one in e
	k.told = &m
}

// list returns all members, by id.
func (t *table) list() []Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Member, 0, len(t.known))
	for _, k := range t.known {
		m := k.Member
		m.Meta = bytes.Clone(m.Meta)
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
