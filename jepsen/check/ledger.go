package check

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// deadLetterSuffix ends the name of every dead-letter queue, and of no other.
const deadLetterSuffix = ".dlq"

// ledger is the operations of one workload, by message. Its messages stand in
// the order in which they were first mentioned. Operations are the run's own
// and are not changed.
type ledger struct {
	run      *history.Run
	ops      []*history.Op
	messages []*message
	byKey    map[history.Key]*message
	sweeps   map[string][]*history.Op // purges and deletes that may have happened
}

// message is everything that happened to one key: in its queue, and after its
// death in the dead-letter queue, where it begins anew with attempt 1.
type message struct {
	key     history.Key
	publish *history.Op // nil: never
	reused  bool        // published twice
	source  life
	dead    life
}

// life is a message in one queue: its deliveries by token, its settles by call.
type life struct {
	deliveries []*history.Op
	settles    []*history.Op
}

// pick gives the operations of a workload on some queues and their
// dead-letter queues; of no workload or queue: of all.
func pick(run *history.Run, workload string, queues []string) []*history.Op {
	wanted := map[string]bool{}
	for _, q := range queues {
		wanted[q], wanted[q+deadLetterSuffix] = true, true
	}
	var ops []*history.Op
	for i := range run.Ops {
		o := &run.Ops[i]
		if workload != "" && o.Workload != workload {
			continue
		}
		if len(wanted) == 0 || o.Queue == "" || wanted[o.Queue] {
			ops = append(ops, o)
		}
	}
	return ops
}

func newLedger(run *history.Run, workload string, queues []string) *ledger {
	l := &ledger{
		run: run, ops: pick(run, workload, queues),
		byKey: map[history.Key]*message{}, sweeps: map[string][]*history.Op{},
	}
	keys := l.keysByToken()
	for _, o := range l.ops {
		l.add(o, keys)
	}
	for _, m := range l.messages {
		m.source.sort()
		m.dead.sort()
	}
	return l
}

// lease names a lease: a token of a group.
type lease struct {
	group uint32
	token uint64
}

// keysByToken finds the message of a settle that does not name it.
func (l *ledger) keysByToken() map[lease]history.Key {
	keys := map[lease]history.Key{}
	for _, o := range l.ops {
		if o.Kind == history.Deliver && o.Token != 0 {
			keys[lease{o.ID.Group, o.Token}] = o.Key
		}
	}
	return keys
}

func (l *ledger) add(o *history.Op, keys map[lease]history.Key) {
	switch o.Kind {
	case history.Publish:
		m := l.message(o.Key)
		m.reused = m.reused || m.publish != nil
		if m.publish == nil {
			m.publish = o
		}
	case history.Deliver:
		x := l.message(o.Key).at(o)
		x.deliveries = append(x.deliveries, o)
	case history.Ack, history.Nack, history.Reject, history.Extend:
		key := o.Key
		if key == (history.Key{}) {
			key = keys[lease{o.ID.Group, o.Token}]
		}
		x := l.message(key).at(o)
		x.settles = append(x.settles, o)
	case history.Purge, history.Delete:
		if maybe(o) {
			l.sweeps[o.Queue] = append(l.sweeps[o.Queue], o)
		}
	}
}

func (l *ledger) message(k history.Key) *message {
	m := l.byKey[k]
	if m == nil {
		m = &message{key: k}
		l.byKey[k] = m
		l.messages = append(l.messages, m)
	}
	return m
}

// at is the life that an operation belongs to.
func (m *message) at(o *history.Op) *life {
	if isDead(o) {
		return &m.dead
	}
	return &m.source
}

// isDead tells an operation on a dead letter.
func isDead(o *history.Op) bool {
	return o.Dead != "" || strings.HasSuffix(o.Queue, deadLetterSuffix)
}

func (m *message) delivered() bool { return len(m.source.deliveries)+len(m.dead.deliveries) > 0 }

func (x *life) sort() {
	slices.SortStableFunc(x.deliveries, func(a, b *history.Op) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Call, b.Call))
	})
	slices.SortStableFunc(x.settles, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
}

// maybe tells an operation that may have happened.
func maybe(o *history.Op) bool { return o.Outcome == history.OK || o.Outcome == history.Unknown }

// ends tells a settle that ends a message if it happened.
func ends(o *history.Op) bool { return o.Kind == history.Ack || o.Kind == history.Reject }

const forever = math.MaxInt64

// until is the latest moment at which an operation can have taken effect.
func until(o *history.Op) int64 {
	if o.Outcome == history.OK {
		return o.Return
	}
	return forever
}

// swept tells whether a purge or a delete of its queue may have taken the message.
func (l *ledger) swept(m *message) bool {
	if m.publish == nil {
		return false
	}
	for _, o := range l.sweeps[m.publish.Queue] {
		if until(o) >= m.publish.Call {
			return true
		}
	}
	for _, o := range l.sweeps[m.publish.Queue+deadLetterSuffix] {
		if until(o) >= m.publish.Call {
			return true
		}
	}
	return false
}
