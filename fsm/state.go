package fsm

import (
	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/body"
	"github.com/ferrymq/ferrymq/fsm/record"
)

// State of a group. It is owned by one goroutine.
//
// Queues, sessions and consumers are reached by number, never by a pointer
// that outlives an entry: the first change after a snapshot replaces the
// struct by a copy (see own.go).
type State struct {
	group   uint32
	version Version
	index   uint64 // of the last entry applied
	clock   Clock
	digest  [32]byte
	broken  error // set once an entry failed: the state is of no use any more

	tokens       uint64 // last one given; never resets
	incarnations uint64 // of queues and topics
	serials      uint64 // of sessions, consumers and junk, inside this state only

	queues    btree.Map[uint64, *queue] // by incarnation
	sessions  btree.Map[uint64, *session]
	consumers btree.Map[uint64, *consumer]
	junk      btree.Map[uint64, *junk]  // purged and deleted, not yet reclaimed
	topics    btree.Map[uint64, *topic] // by incarnation
	bodies    body.Store
	requests  requests

	// What follows is derived from the above and in no snapshot.
	gen        uint64 // see own.go
	names      btree.Map[string, uint64]
	topicNames btree.Map[string, uint64]
	byID       map[SessionID]uint64
	bound      map[uint64]*btree.Map[uint64, struct{}] // subscriptions that go with a session, by its serial
	timers     timers
	movable    btree.Map[uint64, struct{}] // queues whose first parked message fits its dead-letter queue
	doomed     btree.Map[uint64, struct{}] // queues with condemned groups that have something to move

	misses misses

	work work

	bounds Bounds
	trace  func(TraceEvent) // nil: nobody wants to know
}

// work is the scratch of one entry.
type work struct {
	effects    []Effect
	expected   int      // how many effects the last entry with any had
	position   uint32   // the next one
	touched    []uint64 // queues that may have something to hand out, in order
	due        int      // leases ended by time so far
	checkpoint bool

	by        doer
	recordsAt int // where the records of the publish at hand begin in the entry
	publish   Publish
	settle    Settle
	verdicts  []Verdict
	digest    []byte
	incoming  []incoming
	targets   []target
	matched   []uint64           // subscriptions, see incoming
	subject   string             // that they were matched by last
	fanOut    int                // messages that the examined ones become
	fannedOut uint64             // messages put into subscriptions
	comparing comparing          // subjects with filters
	refusedBy *queue             // the first required subscription that refused a message, or queue that could never hold one
	refusedAs Verdict            // why
	refusers  bool               // there was another one
	missed    map[toMiss]Verdict // as planned; looked up, never walked
	info      record.Info        // of the message at hand
	efforts   efforts
	crowded   []crowded // queues, in the order in which they were found
	ends      []timedOut
	lines     []uint32
	toil      [toils]int
}

// New makes the empty state of a group.
func New(group uint32) *State {
	return &State{group: group, version: VersionCurrent, byID: map[SessionID]uint64{}, bound: map[uint64]*btree.Map[uint64, struct{}]{}, timers: newTimers(),
		requests: newRequests(), bounds: Bounds{Room: roomMax, Tenants: MaxTenants, Groups: MaxGroups,
			Lines: MaxGroups, FanOut: MaxFanOut, Words: MaxFilterWords, Held: MaxSessionCredit, Reclaim: reclaimMax, Move: moveMax, Due: dueMax}}
}

// Group is the number of the group.
func (s *State) Group() uint32 { return s.group }

// Index of the last entry applied.
func (s *State) Index() uint64 { return s.index }

// Version is the active machine version.
func (s *State) Version() Version { return s.version }

// Clock is the state's.
func (s *State) Clock() Clock { return s.clock }

// Digest is the running digest over all entries applied: equal at equal
// indexes on every replica.
func (s *State) Digest() [32]byte { return s.digest }

// Bytes is the sum of the records kept, those not yet reclaimed included.
func (s *State) Bytes() uint64 { return s.bodies.Bytes() }

// HeldBytes is the memory that the records keep from being freed.
func (s *State) HeldBytes() uint64 { return s.bodies.Held() }

// MessageCount is the number of records kept.
func (s *State) MessageCount() uint64 { return s.bodies.Len() }
