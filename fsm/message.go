package fsm

// message is a message with state of its own: leased once, returned, parked
// or dead-lettered.
type message struct {
	index     uint64 // its id is (group, index, position)
	lastToken uint64 // of its last lease, and why that ended
	more      *more  // nil for most
	position  uint32
	size      uint32 // logical
	attempts  uint32 // leases given
	failures  uint32 // blamed on the message
	line      uint32 // of its queue; 0: the plain one
	wall      millis // when it entered the log
	at        millis // waiting: when it becomes ready, by the wall clock if scheduled, else by the lease clock; leased: its deadline, by that
	expires   millis // wall clock; 0: never
	lastEnd   Cause
	flags     flags
}

// millis is a time of either clock in milliseconds, 0 to 1<<48-1, in six bytes:
// there may be tens of millions of them.
type millis [3]uint16

func millisOf(v int64) millis { return millis{uint16(v), uint16(v >> 16), uint16(v >> 32)} }

func (m millis) zero() bool { return m == millis{} }

func (m millis) int64() int64 { return int64(m[0]) | int64(m[1])<<16 | int64(m[2])<<32 }

// flags of a message.
type flags uint8

const (
	flagScheduled flags = 1 << iota // waits for the wall clock: delayed, or rescheduled
	flagAlone                       // blamed for a crash: from now on leased only as a consumer's single message
	flagRequest                     // it asks for an answer
	flagNoRetry                     // and is not to be tried again, whether or not somebody waits still
	flagReserved                    // waits for a consumer to be free for it alone
	flagExtended                    // leased, and that was extended
)

// fitting tells that these may be a message's that nobody holds.
func (f flags) fitting() bool { return f < flagExtended && f&(flagRequest|flagNoRetry) != flagNoRetry }

// more is what few messages have. One that a state holds is never changed, as
// snapshots share it: a change makes a new one.
type more struct {
	history   []Attempt // the last attempts that ended without success, oldest first
	forgotten uint32    // attempts before those
	death     *Death    // in a dead-letter queue, and parked on the way there
}

func (m *message) death() *Death {
	if m.more == nil {
		return nil
	}
	return m.more.death
}

func (p packed) message() message {
	return message{index: p.index, wall: millisOf(p.wall), position: p.position, size: p.size}
}

// lease is a message that a consumer holds.
type lease struct {
	message
	token    uint64
	consumer uint64 // serial
	millis   uint32 // its length
	number   uint32 // in the order of its consumer's leases; derived
}

func (l *lease) deadline() int64 { return l.at.int64() }

// rest is the message as it is without the lease.
func (l *lease) rest() message {
	m := l.message
	m.at = millis{}
	m.flags &^= flagExtended
	return m
}
